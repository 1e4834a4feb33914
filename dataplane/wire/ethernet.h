// Ethernet II, 802.3 with SNAP, and VLAN tags.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"

namespace seine::wire {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeTeb = 0x6558;  // transparent Ethernet bridging
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherTypePpp = 0x880b;
inline constexpr std::uint16_t kEtherTypeMpls = 0x8847;
inline constexpr std::uint16_t kEtherTypeMplsMulticast = 0x8848;
inline constexpr std::uint16_t kEtherTypePppoe = 0x8864;
// Values up to this are the length of an 802.3 frame, not a type.
inline constexpr std::uint16_t kEtherLengthMax = 1500;

// 802.1Q, 802.1ad, and the three numbers that stacked tags had before 802.1ad.
constexpr bool is_vlan_type(std::uint16_t type) noexcept {
    return type == kEtherTypeVlan || type == 0x88a8 || type == 0x9100 || type == 0x9200 ||
           type == 0x9300;
}

// Types that are no IP and yet a sound sign of an Ethernet frame: what else switches send.
constexpr bool is_other_known_type(std::uint16_t type) noexcept {
    switch (type) {
        case kEtherTypeArp:
        case 0x8035:  // RARP
        case 0x8808:  // flow control
        case 0x8809:  // LACP
        case 0x8863:  // PPPoE discovery
        case 0x888e:  // EAPOL
        case 0x88cc:  // LLDP
        case 0x88e5:  // MACsec
        case 0x88f7:  // PTP
        case 0x8902:  // CFM
        case 0x9000:  // loop test
            return true;
        default:
            return type <= kEtherLengthMax;
    }
}

// Whether a frame body of this type can be looked into, or is known to be something else.
constexpr bool is_known_type(std::uint16_t type) noexcept {
    return type == kEtherTypeIpv4 || type == kEtherTypeIpv6 || is_vlan_type(type) ||
           type == kEtherTypeMpls || type == kEtherTypeMplsMulticast || type == kEtherTypePppoe ||
           is_other_known_type(type);
}

//  0               6               12      14
// +---------------+---------------+-------+--
// | target MAC    | source MAC    | type  |
// +---------------+---------------+-------+--
struct Ethernet {
    static constexpr std::size_t kHeaderBytes = 14;
    std::uint16_t type{};
};

// ok: `in` stands after the type. need_more: fewer than 14 bytes.
inline Parse read(ByteReader& in, Ethernet& out) noexcept {
    const std::uint8_t* at = in.fixed<Ethernet::kHeaderBytes>();
    if (at == nullptr) return Parse::need_more;
    out.type = load_be16(at + 12);
    return Parse::ok;
}

// What follows a VLAN type: three bits of priority, one of drop eligibility, twelve of id; the next
// type.
struct VlanTag {
    static constexpr std::size_t kBytes = 4;
    std::uint16_t id{};
    std::uint16_t type{};
};

// ok: `in` stands after the next type. need_more: fewer than 4 bytes.
inline Parse read(ByteReader& in, VlanTag& out) noexcept {
    const std::uint8_t* at = in.fixed<VlanTag::kBytes>();
    if (at == nullptr) return Parse::need_more;
    out.id = load_be16(at) & 0x0fff;
    out.type = load_be16(at + 2);
    return Parse::ok;
}

// SNAP header behind an 802.3 length (RFC 1042): aa aa 03, a zero organisation, an EtherType.
struct Snap {
    static constexpr std::size_t kBytes = 8;
    std::uint16_t type{};
};

// ok: `in` stands after the type. need_more: fewer than 8 bytes. not_this: another LLC user
// (spanning tree, IS-IS, ...).
inline Parse read(ByteReader& in, Snap& out) noexcept {
    const std::uint8_t* at = in.fixed<Snap::kBytes>();
    if (at == nullptr) return Parse::need_more;
    if (load_be32(at) != 0xaaaa0300 || load_be16(at + 4) != 0) return Parse::not_this;
    out.type = load_be16(at + 6);
    return Parse::ok;
}

}  // namespace seine::wire
