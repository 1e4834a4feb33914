// Tunnel headers: GRE and what it carries, ERSPAN, VXLAN, GENEVE, GTP-U, Teredo, AYIYA.
//
// Readers of UDP tunnels answer not_this where a reserved field is set or a length does not fit,
// since a port alone proves nothing; the decoder then takes the datagram for plain UDP. need_more
// says that the bytes end inside the header.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/ethernet.h"

namespace seine::wire {

inline constexpr std::uint16_t kPortGtpu = 2152;
inline constexpr std::uint16_t kPortTeredo = 3544;
inline constexpr std::uint16_t kPortGreUdp = 4754;
inline constexpr std::uint16_t kPortVxlan = 4789;
inline constexpr std::uint16_t kPortVxlanGpe = 4790;
inline constexpr std::uint16_t kPortAyiya = 5072;
inline constexpr std::uint16_t kPortGeneve = 6081;
inline constexpr std::uint16_t kPortVxlanLinux = 8472;

// Whether a UDP datagram deserves a look for a tunnel. The source port of VXLAN, GENEVE and GRE in
// UDP is a flow label, that of the others may be the well-known one. Compares without branches:
// this is on the path of every datagram.
constexpr bool may_be_udp_tunnel(std::uint16_t source, std::uint16_t target) noexcept {
    return static_cast<bool>(
        static_cast<int>(target == kPortVxlan) | static_cast<int>(target == kPortVxlanGpe) |
        static_cast<int>(target == kPortGeneve) | static_cast<int>(target == kPortVxlanLinux) |
        static_cast<int>(target == kPortGreUdp) | static_cast<int>(target == kPortGtpu) |
        static_cast<int>(source == kPortGtpu) | static_cast<int>(target == kPortTeredo) |
        static_cast<int>(source == kPortTeredo) | static_cast<int>(target == kPortAyiya) |
        static_cast<int>(source == kPortAyiya));
}

inline constexpr std::uint16_t kGreErspan = 0x88be;      // types I and II
inline constexpr std::uint16_t kGreErspan3 = 0x22eb;     // type III
inline constexpr std::uint16_t kGreArubaFirst = 0x8200;  // 802.11 frames, one number a queue
inline constexpr std::uint16_t kGreArubaLast = 0x8210;
inline constexpr std::uint16_t kGreWccp = 0x883e;

// +-+-+-+-+-+-----+-+-------+-----+---------------+
// |C|R|K|S|s|recur|A| flags | ver | protocol      |   RFC 2784, 2890; version 1: RFC 2637
// +-+-+-+-+-+-----+-+-------+-----+---------------+
// | checksum, offset   (C or R)                   |
// | key (K)      version 1: length, call id       |
// | sequence (S)                                  |
// | acknowledged (A, version 1)                   |
// +-----------------------------------------------+
struct Gre {
    std::uint16_t protocol{};
    std::uint8_t version{};
    bool has_key{};
    bool has_sequence{};
    bool reserved_set{};  // a bit that has to be zero in RFC 2784 is not
    std::uint32_t key{};
    // Version 1: the length in the upper half of the key.
    [[nodiscard]] std::size_t payload_bytes() const noexcept { return key >> 16; }
};

// ok: `in` stands after the header. need_more: it ends before. not_this: an unknown version.
// malformed: version 1 without key. limit: more than eight source routes (RFC 1701).
Parse read(ByteReader& in, Gre& out) noexcept;

//  type II, eight bytes:
// +---+-----------+---+--+-+-----------+
// | 1 | vlan (12) |cos|en|t|session(10)|
// +---+-----------+---+--+-+-----------+
// | reserved (12), index (20)          |
// +------------------------------------+
//  type III, twelve bytes, or twenty with platform bytes: the same first four, a timestamp (4), a
//  group tag (2), and two bytes of P (1) frame type (5) hardware (6) D (1) granularity (2) O (1).
struct Erspan {
    std::uint16_t session_id{};
    bool is_ip{};  // type III may carry bare IP
};

// ok: `in` stands before the mirrored frame. need_more: it ends before. malformed: another version.
Parse read_erspan2(ByteReader& in, Erspan& out) noexcept;
Parse read_erspan3(ByteReader& in, Erspan& out) noexcept;

// 802.11 data frame without FCS, as Aruba access points send it: header of 24 bytes, 6 more between
// access points, 2 more with QoS, 4 more with HT control.
// ok: `in` stands before LLC. need_more: it ends before. not_this: no data in clear.
Parse skip_wifi(ByteReader& in) noexcept;

// +---------+-----------------+-----------------------+-------+
// | flags   | reserved (24)   | VNI (24)              | res.  |   RFC 7348, group policy bits
// +---------+-----------------+-----------------------+-------+
struct Vxlan {
    std::uint32_t vni{};
};
// ok: an Ethernet frame follows.
Parse read(ByteReader& in, Vxlan& out) noexcept;

enum class InnerKind : std::uint8_t { ethernet, ipv4, ipv6, mpls };

// The same eight bytes with the P flag, and the next protocol in the fourth
// (draft-ietf-nvo3-vxlan-gpe).
struct VxlanGpe {
    std::uint32_t vni{};
    InnerKind inner{};
};
// ok: `inner` follows. not_this: also for a protocol we do not read (NSH).
Parse read(ByteReader& in, VxlanGpe& out) noexcept;

// RFC 8926 section 3.4; four bytes of options a word.
// +---+-------+-+-+-----+---------------+-----------------------+-------+
// |ver| words |O|C|res. | protocol      | VNI (24)              | res.  | options
// +---+-------+-+-+-----+---------------+-----------------------+-------+
struct Geneve {
    std::uint16_t protocol{};
    std::uint32_t vni{};
};
// ok: `in` stands after the options.
Parse read(ByteReader& in, Geneve& out) noexcept;

// +---+-+-+-+-+-+-------+---------------+-------------------------------+
// | 1 |1|0|E|S|N| type  | length        | tunnel endpoint id            |   3GPP TS 29.281
// +---+-+-+-+-+-+-------+---------------+-------------------------------+
// | sequence      | N-PDU | next ext.   |   when any of E, S, N is set; then extensions
// +---------------+-------+-------------+
struct Gtpu {
    std::uint32_t teid{};
    std::size_t payload_bytes{};  // after header and extensions, by the length field
};
// ok: a T-PDU; `in` stands before it. not_this: another message. need_more: it ends before. limit:
// more than eight extension headers. malformed: an extension of length 0, or lengths that do not
// add up.
Parse read(ByteReader& in, Gtpu& out) noexcept;

// Teredo (RFC 4380 section 5.1.1): optional authentication (00 01) and origin (00 00) before IPv6.
// ok: `in` stands before the IPv6 header. need_more: it does not reach its end. not_this: none
// there.
Parse skip_teredo(ByteReader& in) noexcept;

// AYIYA (draft-massar-v6ops-ayiya-02): lengths of identity and signature, operation, next header,
// time.
struct Ayiya {
    std::uint8_t next_header{};
};
// ok: `in` stands after the signature. need_more: it ends before. not_this: another operation than
// forwarding.
Parse read(ByteReader& in, Ayiya& out) noexcept;

}  // namespace seine::wire
