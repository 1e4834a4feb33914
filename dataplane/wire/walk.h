// The general walk through the layers of a frame; decode.cpp and steering.cpp run it.
#pragma once
#include <cstdint>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/clock.h"
#include "dataplane/wire/decode_result.h"
#include "dataplane/wire/fragments.h"
#include "dataplane/wire/link_type.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// What the next layer is. `done` ends the walk.
enum class LayerKind : std::uint8_t {
    ethernet,
    ether_type,
    ip,
    ipv4,
    ipv6,
    protocol,
    mpls,
    pppoe,
    ppp,
    gre,
    tcp,
    udp,
    done,
};

// One frame on its way. Not for reuse; a few hundred bytes on the stack.
//
// Two lengths go along: `in` holds what was captured, and `missing` is how many bytes more the
// length fields promise. A header that ends early is `truncated` if bytes are missing, malformed if
// not.
//
//   link type ──> ethernet ──> ether_type ─┬─> vlan, snap ──> ether_type
//        │                                 ├─> pppoe ──> ppp ─┐
//        └──> cooked, ppp, nflog, ...      ├─> mpls ──────────┼──> ip, or ethernet (pseudowire)
//                                          └─> ipv4, ipv6 <───┘
//   ip ──> protocol ─┬─> extensions, fragments (put together) ──> protocol
//                    ├─> ip, gre, etherip, mpls: a tunnel, one deeper, anew from ethernet or ip
//                    ├─> udp ──> a tunnel if port and header agree; if what is inside does not
//                    │           parse, back to the datagram
//                    └─> tcp
class Walk {
  public:
    // `fragments` null: a first fragment is looked into and a later one ends the walk (steering).
    Walk(ByteView frame, std::uint32_t wire_bytes, FragmentTable* fragments, Nanos now,
         PacketView& out) noexcept;
    DecodeResult run(LinkType link) noexcept;

    // Steering: the fragmented header met first.
    [[nodiscard]] bool saw_fragment() const noexcept { return saw_fragment_; }
    [[nodiscard]] bool saw_later_fragment() const noexcept { return saw_later_fragment_; }
    [[nodiscard]] const FragmentKey& fragment_key() const noexcept { return fragment_key_; }
    [[nodiscard]] bool saw_ip() const noexcept { return saw_ip_; }

  private:
    DecodeResult begin(LinkType link) noexcept;
    DecodeResult step() noexcept;
    DecodeResult ethernet() noexcept;
    DecodeResult ether_type() noexcept;
    DecodeResult snap() noexcept;
    DecodeResult mpls() noexcept;
    DecodeResult pppoe() noexcept;
    DecodeResult ppp() noexcept;
    DecodeResult ip() noexcept;
    DecodeResult ipv4() noexcept;
    DecodeResult ipv6() noexcept;
    DecodeResult protocol() noexcept;
    DecodeResult extension() noexcept;
    DecodeResult fragment6() noexcept;
    DecodeResult fragment(Fragment& fragment) noexcept;
    DecodeResult gre() noexcept;
    DecodeResult gre_payload(const struct Gre& header, TunnelKind around) noexcept;
    DecodeResult etherip() noexcept;
    DecodeResult tcp() noexcept;
    DecodeResult udp() noexcept;
    DecodeResult udp_tunnel(std::uint16_t source, std::uint16_t target) noexcept;
    DecodeResult plain_udp() noexcept;

    // Goes into a tunnel: records it, and the outermost addresses when it is borne by IP.
    DecodeResult enter(TunnelKind kind, std::uint32_t id, LayerKind inner) noexcept;
    DecodeResult go(LayerKind next) noexcept {
        next_ = next;
        return DecodeResult::ok;
    }
    // For a header that ends early.
    [[nodiscard]] DecodeResult ends_early(DecodeResult malformed) const noexcept {
        return missing_ > 0 ? DecodeResult::truncated : malformed;
    }
    // Bytes from here to the end by the length fields around.
    [[nodiscard]] std::size_t claimed() const noexcept { return in_.left() + missing_; }
    // Sets that length to `bytes`: cuts trailers off, or finds bytes missing.
    void limit_to(std::size_t bytes) noexcept;
    [[nodiscard]] bool falls_back(DecodeResult result) const noexcept;
    [[nodiscard]] std::uint64_t context() const noexcept;

    ByteReader in_;
    std::size_t missing_;
    FragmentTable* fragments_;
    Nanos now_;
    PacketView& out_;
    LayerKind next_ = LayerKind::done;
    std::uint16_t type_ = 0;
    std::uint8_t extension_count_ = 0;
    std::uint8_t nesting_ = 0;  // reassembled datagrams around
    bool in_ip_ = false;
    bool saw_ip_ = false;
    bool length_unset_ = false;
    bool unknown_type_ = false;
    bool saw_fragment_ = false;
    bool saw_later_fragment_ = false;
    FragmentKey fragment_key_{};
    // The last UDP datagram that was taken for a tunnel, to go back to.
    bool has_fallback_ = false;
    ByteReader fallback_in_;
    std::size_t fallback_missing_ = 0;
    bool fallback_saw_fragment_ = false;
    PacketView fallback_view_;
};

}  // namespace seine::wire
