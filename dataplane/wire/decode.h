// From frame to PacketView: the one place that knows how layers stack.
#pragma once
#include <cstdint>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/wire/decode_result.h"
#include "dataplane/wire/ethernet.h"
#include "dataplane/wire/fragments.h"
#include "dataplane/wire/ipv4.h"
#include "dataplane/wire/ipv6.h"
#include "dataplane/wire/link_type.h"
#include "dataplane/wire/packet_view.h"
#include "dataplane/wire/tcp.h"
#include "dataplane/wire/tunnel.h"
#include "dataplane/wire/udp.h"

namespace seine::wire {

// One per worker; used by that worker's thread alone. Everything is allocated by the constructor.
class Decoder {
  public:
    explicit Decoder(const FragmentLimits& limits, std::uint64_t seed = 0)
        : fragments_(limits, seed) {}

    // Decodes one frame of `wire_bytes` on the wire, of which `frame` was captured. On `ok` all of
    // `out` is set; on `not_tcp_udp` and `encrypted` the addresses and IP fields are; otherwise
    // nothing is promised. What `out` borrows lives as long as the frame and until the next call. A
    // fragment that completes its datagram answers for the whole datagram, with the fields of its
    // first fragment.
    DecodeResult decode(ByteView frame, std::uint32_t wire_bytes, LinkType link, Nanos now,
                        PacketView& out) noexcept;

    // The same answer by the general walk alone: tests compare the two.
    DecodeResult decode_general(ByteView frame, std::uint32_t wire_bytes, LinkType link, Nanos now,
                                PacketView& out) noexcept;

    // Gives up datagrams that have waited too long; decode() does so too when a fragment arrives.
    void expire(Nanos now) noexcept { fragments_.expire(now); }
    [[nodiscard]] const FragmentCounters& fragment_counters() const noexcept {
        return fragments_.counters();
    }
    [[nodiscard]] const FragmentTable& fragments() const noexcept { return fragments_; }

  private:
    FragmentTable fragments_;
};

// The path of nearly all frames: Ethernet, at most one 802.1Q tag, IPv4 without options or IPv6
// without extensions, TCP or UDP, not fragmented, no tunnel port. False when the frame is anything
// else or not plainly sound; `out` is then unspecified and decode_general() decides.
[[nodiscard]] inline bool decode_common(ByteView frame, PacketView& out) noexcept;

inline DecodeResult Decoder::decode(ByteView frame, std::uint32_t wire_bytes, LinkType link,
                                    Nanos now, PacketView& out) noexcept {
    if (link == LinkType::ethernet && decode_common(frame, out)) [[likely]] {
        return DecodeResult::ok;
    }
    return decode_general(frame, wire_bytes, link, now, out);
}

inline bool decode_common(ByteView frame, PacketView& out) noexcept {
    constexpr std::size_t kShortest =
        Ethernet::kHeaderBytes + Ipv4::kHeaderBytesMin + Tcp::kHeaderBytesMin;
    if (frame.size() < kShortest) return false;
    const std::uint8_t* ip = frame.data() + Ethernet::kHeaderBytes;
    std::size_t captured = frame.size() - Ethernet::kHeaderBytes;
    std::uint16_t type = load_be16(ip - 2);
    out.vlan_count = 0;
    if (type == kEtherTypeVlan) {
        out.vlans[0] = load_be16(ip) & 0x0fff;
        out.vlan_count = 1;
        type = load_be16(ip + 2);
        ip += VlanTag::kBytes;
        captured -= VlanTag::kBytes;
    }
    // At least 36 bytes are left, so the fixed IPv4 header is there; IPv6 asks again.
    std::size_t claimed;  // bytes after the IP header by its length field
    if (type == kEtherTypeIpv4) {
        const std::size_t total_bytes = load_be16(ip + 2);
        if (ip[0] != 0x45 || (load_be16(ip + 6) & Ipv4::kFragmentMask) != 0 || total_bytes < 20)
            return false;
        fill_ipv4(ip, out);
        claimed = total_bytes - Ipv4::kHeaderBytesMin;
        captured -= Ipv4::kHeaderBytesMin;
        ip += Ipv4::kHeaderBytesMin;
    } else if (type == kEtherTypeIpv6) {
        if (captured < Ipv6::kHeaderBytes || ip[0] >> 4 != 6) return false;
        claimed = load_be16(ip + 4);
        fill_ipv6(ip, out);
        captured -= Ipv6::kHeaderBytes;
        ip += Ipv6::kHeaderBytes;
    } else {
        return false;
    }
    captured = captured < claimed ? captured : claimed;
    out.mpls_count = 0;
    out.tunnel_count = 0;
    out.pppoe_session = 0;
    out.fragmented = false;
    out.has_outer = false;
    if (out.protocol == kProtocolTcp) {
        if (captured < Tcp::kHeaderBytesMin) return false;
        const std::size_t header_bytes = Tcp::header_bytes(ip);
        if (header_bytes < Tcp::kHeaderBytesMin || header_bytes > captured) return false;
        fill_tcp(ip, header_bytes, {ip, captured}, claimed, out);
        return true;
    }
    if (out.protocol == kProtocolUdp) {
        if (captured < Udp::kHeaderBytes) return false;
        const std::size_t length_bytes = load_be16(ip + 4);
        if (length_bytes < Udp::kHeaderBytes || length_bytes > claimed) return false;
        if (may_be_udp_tunnel(load_be16(ip), load_be16(ip + 2))) return false;
        fill_udp(ip, {ip, captured < length_bytes ? captured : length_bytes}, length_bytes, out);
        return true;
    }
    return false;
}

}  // namespace seine::wire
