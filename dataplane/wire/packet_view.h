// One decoded TCP segment or UDP datagram: what the rest of the line reads of a frame.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/base/bytes.h"
#include "dataplane/wire/address.h"

namespace seine::wire {

// Bounds of nesting; past one the frame is given up and counted.
inline constexpr std::size_t kVlanTagsMax = 4;
inline constexpr std::size_t kMplsLabelsMax = 8;
inline constexpr std::size_t kTunnelsMax = 4;
inline constexpr std::size_t kIpv6ExtensionsMax = 8;

enum class Transport : std::uint8_t { other, tcp, udp };

// Bits of PacketView::tcp_flags (RFC 9293 section 3.1).
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpUrg = 0x20;

// Every tunnel we look into: enumerator and the name of records.
#define SEINE_TUNNEL_KINDS(X) \
    X(ip_in_ip, "ipip")       \
    X(gre, "gre")             \
    X(nvgre, "nvgre")         \
    X(pptp, "pptp")           \
    X(erspan, "erspan")       \
    X(vxlan, "vxlan")         \
    X(vxlan_gpe, "vxlan_gpe") \
    X(geneve, "geneve")       \
    X(gtpu, "gtpu")           \
    X(gre_udp, "gre_udp")     \
    X(teredo, "teredo")       \
    X(ayiya, "ayiya")         \
    X(etherip, "etherip")     \
    X(mpls_ip, "mpls_ip")     \
    X(pseudowire, "pseudowire")

enum class TunnelKind : std::uint8_t {
#define SEINE_X(id, name) id,
    SEINE_TUNNEL_KINDS(SEINE_X)
#undef SEINE_X
};
[[nodiscard]] std::string_view tunnel_name(TunnelKind kind) noexcept;

struct Tunnel {
    std::uint32_t id;  // VNI, TEID, key, session or call id, bottom label; 0 where there is none
    TunnelKind kind;
};

// Borrows from the frame, or for a reassembled datagram from the decoder until its next decode().
// Filled by Decoder::decode; of the arrays only the first `..._count` items mean anything. Fields
// under "TCP" are set for TCP alone, ports and payload for TCP and UDP.
struct PacketView {
    // Innermost addresses (network order, IPv4 mapped) and ports (host order).
    Address source;
    Address target;
    std::uint16_t source_port;
    std::uint16_t target_port;
    // The TCP header's first 20 bytes or the UDP header's 8, as sent.
    const std::uint8_t* transport_header;
    // TCP.
    std::uint32_t seq;
    std::uint32_t ack;
    // Length of the payload on the wire by the innermost length fields; payload.size() when not
    // cut.
    std::uint32_t payload_wire_bytes;
    // What was captured of it; never padding, trailer or FCS.
    ByteView payload;
    // TCP: option bytes in wire order (walk with TcpOptions of tcp.h), the raw window field, the
    // flags.
    ByteView options;
    std::uint16_t window;
    std::uint8_t tcp_flags;
    Transport transport;
    // Innermost IP header.
    std::uint8_t ip_version;     // 4 or 6
    std::uint8_t protocol;       // after the IPv6 extension headers
    std::uint8_t ttl;            // or hop limit
    std::uint8_t traffic_class;  // DSCP and ECN
    std::uint16_t ip_id;         // IPv4 identification; 0 for IPv6
    bool dont_fragment;          // IPv4 DF; true for IPv6 that was not fragmented
    bool fragmented;             // came together from fragments, at any depth
    bool cut;                    // payload.size() < payload_wire_bytes: the capture cut the frame
    bool options_cut;            // the capture ends inside the TCP options; `payload` is empty then
    // Around it.
    std::uint8_t vlan_count;
    std::uint8_t mpls_count;
    std::uint8_t tunnel_count;
    std::uint16_t pppoe_session;                // 0: none
    std::uint16_t vlans[kVlanTagsMax];          // VLAN ids, outermost first; the first four of all
    std::uint32_t mpls_labels[kMplsLabelsMax];  // outermost first; the first eight of all
    Tunnel tunnels[kTunnelsMax];                // outermost first
    // Addresses of the outermost IP header; set when has_outer, that is inside an IP-borne tunnel.
    bool has_outer;
    Address outer_source;
    Address outer_target;
};

}  // namespace seine::wire
