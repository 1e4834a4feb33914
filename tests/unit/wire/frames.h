// One frame for every stack of layers that the decoder reads, with what has to be found in it.
#pragma once
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/wire/decode.h"
#include "tools/synth/packet_builder.h"

namespace seine::wire {

// Bytes on the heap in a block of exactly their size, so that a sanitizer sees one byte too far.
class Exact {
  public:
    explicit Exact(ByteView bytes)
        : size_(bytes.size()), bytes_(std::make_unique<std::uint8_t[]>(size_)) {
        if (size_ > 0) std::memcpy(bytes_.get(), bytes.data(), size_);
    }
    [[nodiscard]] ByteView view() const { return {bytes_.get(), size_}; }

  private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> bytes_;
};

struct NamedFrame {
    std::string name;
    synth::Bytes bytes;
    LinkType link = LinkType::ethernet;
    bool v6 = false;  // innermost
    Transport transport = Transport::tcp;
    std::vector<TunnelKind> tunnels{};  // outermost first
    std::vector<std::uint16_t> vlans{};
    std::vector<std::uint32_t> labels{};
};

// Innermost packets: 192.0.2.1:40000 > 198.51.100.2:443 or 2001:db8::1 > 2001:db8::2, payload
// "hello".
inline const synth::Bytes& hello() {
    static const synth::Bytes bytes = synth::bytes_of("hello");
    return bytes;
}
inline synth::Layer inner_v4() { return synth::ipv4({}, synth::tcp({}, hello())); }
inline synth::Layer inner_v6() { return synth::ipv6({}, synth::tcp({}, hello())); }
inline synth::Layer inner_udp() { return synth::ipv4({}, synth::udp({}, hello())); }
inline constexpr const char* kOuterSource = "10.1.1.1";
inline constexpr const char* kOuterTarget = "10.2.2.2";
inline synth::Layer outer_v4(const synth::Layer& inner) {
    return synth::ipv4({.source = kOuterSource, .target = kOuterTarget, .ttl = 9}, inner);
}
inline synth::Layer outer_v6(const synth::Layer& inner) {
    return synth::ipv6({.source = "fd00::1", .target = "fd00::2", .hops = 9}, inner);
}

inline std::vector<NamedFrame> plain_frames() {
    using namespace synth;
    const Layer v4 = inner_v4();
    const Layer v6 = inner_v6();
    std::vector<NamedFrame> out = {
        {.name = "tcp4", .bytes = eth(v4).bytes},
        {.name = "tcp6", .bytes = eth(v6).bytes, .v6 = true},
        {.name = "udp4", .bytes = eth(inner_udp()).bytes, .transport = Transport::udp},
        {.name = "udp6",
         .bytes = eth(ipv6({}, udp({}, hello()))).bytes,
         .v6 = true,
         .transport = Transport::udp},
        {.name = "syn options",
         .bytes = eth(ipv4({}, tcp({.options = linux_syn_options()}, hello()))).bytes},
        {.name = "padding", .bytes = eth(v4, {.pad_to_bytes = 90}).bytes},
        {.name = "broker trailer", .bytes = eth(v4, {.trailer = counting(23)}).bytes},
        {.name = "snap", .bytes = eth(snap(v4)).bytes},
        {.name = "ipv4 options",
         .bytes = eth(ipv4({.options = {0x94, 4, 0, 0, 1}}, tcp({}, hello()))).bytes},
        {.name = "bad checksums",
         .bytes = eth(ipv4({.bad_checksum = true}, tcp({.bad_checksum = true}, hello()))).bytes},
        {.name = "vlan", .bytes = eth(vlan(7, v4)).bytes, .vlans = {7}},
        {.name = "vlan tcp6", .bytes = eth(vlan(4095, v6)).bytes, .v6 = true, .vlans = {4095}},
        {.name = "qinq", .bytes = eth(vlan(7, vlan(9, v4), 0x88a8)).bytes, .vlans = {7, 9}},
        {.name = "four tags",
         .bytes = eth(vlan(1, vlan(2, vlan(3, vlan(4, v6), 0x9100), 0x9200), 0x88a8)).bytes,
         .v6 = true,
         .vlans = {1, 2, 3, 4}},
        {.name = "pppoe", .bytes = eth(pppoe(1, v4), {.pad_to_bytes = 120}).bytes},
        {.name = "pppoe tcp6 in qinq",
         .bytes = eth(vlan(7, vlan(9, pppoe(1, v6)), 0x88a8)).bytes,
         .v6 = true,
         .vlans = {7, 9}},
        {.name = "mpls", .bytes = eth(mpls({16, 17}, v4)).bytes, .labels = {16, 17}},
        {.name = "mpls tcp6",
         .bytes = eth(mpls({1048575}, v6)).bytes,
         .v6 = true,
         .labels = {1048575}},
        {.name = "eight labels",
         .bytes = eth(mpls({1, 2, 3, 4, 5, 6, 7, 8}, v4)).bytes,
         .labels = {1, 2, 3, 4, 5, 6, 7, 8}},
        {.name = "hop-by-hop",
         .bytes = eth(ipv6({}, extension(0, tcp({}, hello())))).bytes,
         .v6 = true},
        {.name = "three extensions",
         .bytes = eth(ipv6({}, extension(0, extension(43, extension(60, udp({}, hello()),
                                                                    counting(30))))))
                      .bytes,
         .v6 = true,
         .transport = Transport::udp},
        {.name = "ah in ipv6", .bytes = eth(ipv6({}, ah(tcp({}, hello())))).bytes, .v6 = true},
        {.name = "ah in ipv4", .bytes = eth(ipv4({}, ah(tcp({}, hello())))).bytes},
        {.name = "atomic fragment",
         .bytes = eth(ipv6({}, fragment6(5, 0, false, 6, tcp({}, hello()).bytes))).bytes,
         .v6 = true},
    };
    return out;
}

inline std::vector<NamedFrame> link_frames() {
    using namespace synth;
    const Layer v4 = inner_v4();
    const Layer v6 = inner_v6();
    return {
        {.name = "raw 4", .bytes = v4.bytes, .link = LinkType::raw_ip},
        {.name = "raw 6", .bytes = v6.bytes, .link = LinkType::raw_ip, .v6 = true},
        {.name = "ppp hdlc", .bytes = ppp(v4).bytes, .link = LinkType::ppp},
        {.name = "ppp bare",
         .bytes = ppp(v6, {.hdlc = false}).bytes,
         .link = LinkType::ppp,
         .v6 = true},
        {.name = "ppp compressed",
         .bytes = ppp(v4, {.hdlc = false, .compressed = true}).bytes,
         .link = LinkType::ppp},
        {.name = "ppp mpls",
         .bytes = ppp(mpls({5}, v4)).bytes,
         .link = LinkType::ppp,
         .labels = {5}},
        {.name = "cisco hdlc",
         .bytes = Bytes{0x0f, 0, 0x08, 0x00} + v4.bytes,
         .link = LinkType::ppp},
        {.name = "nflog", .bytes = synth::nflog(v4), .link = LinkType::nflog},
        {.name = "nflog big endian",
         .bytes = synth::nflog(v6, true),
         .link = LinkType::nflog,
         .v6 = true},
        {.name = "sll", .bytes = synth::linux_sll(v4), .link = LinkType::linux_sll},
        {.name = "sll vlan",
         .bytes = synth::linux_sll(vlan(3, v6)),
         .link = LinkType::linux_sll,
         .v6 = true,
         .vlans = {3}},
        {.name = "sll2", .bytes = synth::linux_sll2(v6), .link = LinkType::linux_sll2, .v6 = true},
        {.name = "null", .bytes = synth::loopback(v4), .link = LinkType::loopback},
        {.name = "loop",
         .bytes = synth::loopback(v6, true),
         .link = LinkType::loopback,
         .v6 = true},
    };
}

inline std::vector<NamedFrame> ip_tunnel_frames() {
    using namespace synth;
    const Layer v4 = inner_v4();
    const Layer v6 = inner_v6();
    const Layer frame = eth(v4);
    const Layer frame6 = eth(vlan(5, v6));
    const auto in4 = [](const Layer& layer) { return eth(outer_v4(layer)).bytes; };
    const auto in6 = [](const Layer& layer) { return eth(outer_v6(layer)).bytes; };
    return {
        {.name = "4 in 4", .bytes = in4(v4), .tunnels = {TunnelKind::ip_in_ip}},
        {.name = "6 in 4", .bytes = in4(v6), .v6 = true, .tunnels = {TunnelKind::ip_in_ip}},
        {.name = "4 in 6", .bytes = in6(v4), .tunnels = {TunnelKind::ip_in_ip}},
        {.name = "6 in 6", .bytes = in6(v6), .v6 = true, .tunnels = {TunnelKind::ip_in_ip}},
        {.name = "gre", .bytes = in4(synth::gre(v4)), .tunnels = {TunnelKind::gre}},
        {.name = "gre all fields",
         .bytes = in6(
             synth::gre(v6, {.checksum = true, .has_key = true, .key = 77, .has_sequence = true})),
         .v6 = true,
         .tunnels = {TunnelKind::gre}},
        {.name = "gre ethernet", .bytes = in4(synth::gre(frame)), .tunnels = {TunnelKind::gre}},
        {.name = "gre mpls",
         .bytes = in4(synth::gre(mpls({3}, v4))),
         .tunnels = {TunnelKind::gre},
         .labels = {3}},
        {.name = "nvgre",
         .bytes = in4(synth::nvgre(4711, frame6)),
         .v6 = true,
         .tunnels = {TunnelKind::nvgre},
         .vlans = {5}},
        {.name = "pptp", .bytes = in4(synth::pptp(12, ppp(v4))), .tunnels = {TunnelKind::pptp}},
        {.name = "pptp bare ppp",
         .bytes = in4(synth::pptp(12, ppp(v4, {.hdlc = false}), true, false)),
         .tunnels = {TunnelKind::pptp}},
        {.name = "erspan 1", .bytes = in4(erspan1(frame)), .tunnels = {TunnelKind::erspan}},
        {.name = "erspan 2",
         .bytes = in4(erspan2(99, frame6)),
         .v6 = true,
         .tunnels = {TunnelKind::erspan},
         .vlans = {5}},
        {.name = "erspan 3", .bytes = in4(erspan3(99, frame)), .tunnels = {TunnelKind::erspan}},
        {.name = "erspan 3 platform",
         .bytes = in4(erspan3(99, frame, true)),
         .tunnels = {TunnelKind::erspan}},
        {.name = "etherip", .bytes = in4(synth::etherip(frame)), .tunnels = {TunnelKind::etherip}},
        {.name = "mpls in ip",
         .bytes = in4(mpls({8}, v4)),
         .tunnels = {TunnelKind::mpls_ip},
         .labels = {8}},
        {.name = "pseudowire",
         .bytes = eth(mpls({8, 9}, frame)).bytes,
         .tunnels = {TunnelKind::pseudowire},
         .labels = {8, 9}},
        {.name = "pseudowire control word",
         .bytes = eth(mpls({8, 9}, control_word(frame6))).bytes,
         .v6 = true,
         .tunnels = {TunnelKind::pseudowire},
         .vlans = {5},
         .labels = {8, 9}},
    };
}

inline std::vector<NamedFrame> udp_tunnel_frames() {
    using namespace synth;
    const Layer v4 = inner_v4();
    const Layer v6 = inner_v6();
    const Layer frame = eth(v4);
    const Layer frame6 = eth(vlan(5, v6));
    const auto in4 = [](const Layer& layer) { return eth(outer_v4(layer)).bytes; };
    const auto in6 = [](const Layer& layer) { return eth(outer_v6(layer)).bytes; };
    return {
        {.name = "vxlan", .bytes = in4(synth::vxlan(42, frame)), .tunnels = {TunnelKind::vxlan}},
        {.name = "vxlan 8472 in 6",
         .bytes = in6(synth::vxlan(42, frame6, 8472)),
         .v6 = true,
         .tunnels = {TunnelKind::vxlan},
         .vlans = {5}},
        {.name = "vxlan gpe ip",
         .bytes = in4(synth::vxlan_gpe(42, v4)),
         .tunnels = {TunnelKind::vxlan_gpe}},
        {.name = "vxlan gpe ip6",
         .bytes = in4(synth::vxlan_gpe(42, v6)),
         .v6 = true,
         .tunnels = {TunnelKind::vxlan_gpe}},
        {.name = "vxlan gpe ethernet",
         .bytes = in4(synth::vxlan_gpe(42, frame)),
         .tunnels = {TunnelKind::vxlan_gpe}},
        {.name = "vxlan gpe mpls",
         .bytes = in4(synth::vxlan_gpe(42, mpls({6}, v4))),
         .tunnels = {TunnelKind::vxlan_gpe},
         .labels = {6}},
        {.name = "geneve", .bytes = in4(synth::geneve(42, frame)), .tunnels = {TunnelKind::geneve}},
        {.name = "geneve options, ip",
         .bytes = in4(synth::geneve(42, v6, counting(20))),
         .v6 = true,
         .tunnels = {TunnelKind::geneve}},
        {.name = "gtpu", .bytes = in4(synth::gtpu(42, v4)), .tunnels = {TunnelKind::gtpu}},
        {.name = "gtpu sequence",
         .bytes = in4(synth::gtpu(42, v6, true)),
         .v6 = true,
         .tunnels = {TunnelKind::gtpu}},
        {.name = "gtpu extensions",
         .bytes = in4(synth::gtpu(42, v4, true, 3)),
         .tunnels = {TunnelKind::gtpu}},
        {.name = "gre in udp", .bytes = in4(synth::gre_udp(v4)), .tunnels = {TunnelKind::gre_udp}},
        {.name = "teredo",
         .bytes = in4(synth::teredo(v6)),
         .v6 = true,
         .tunnels = {TunnelKind::teredo}},
        {.name = "teredo headers",
         .bytes = in4(synth::teredo(v6, true, true)),
         .v6 = true,
         .tunnels = {TunnelKind::teredo}},
        {.name = "four tunnels",
         .bytes = in4(
             synth::vxlan(1, eth(outer_v6(synth::gre(outer_v4(synth::gtpu(3, outer_v4(v6)))))))),
         .v6 = true,
         .tunnels = {TunnelKind::vxlan, TunnelKind::gre, TunnelKind::gtpu, TunnelKind::ip_in_ip}},
    };
}

inline std::vector<NamedFrame> tunnel_frames() {
    std::vector<NamedFrame> all = ip_tunnel_frames();
    const std::vector<NamedFrame> more = udp_tunnel_frames();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

inline std::vector<NamedFrame> all_frames() {
    std::vector<NamedFrame> all = plain_frames();
    for (const auto& more : {link_frames(), tunnel_frames()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

// Decodes a frame captured whole, or `captured` bytes of it, on the heap.
inline DecodeResult decode_exact(Decoder& decoder, const Exact& exact, std::size_t wire_bytes,
                                 LinkType link, PacketView& out, Nanos now = {}) {
    return decoder.decode(exact.view(), static_cast<std::uint32_t>(wire_bytes), link, now, out);
}

}  // namespace seine::wire
