// IPv6 header and its extension headers (RFC 8200), one step at a time.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/ipv4.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

inline constexpr std::uint8_t kExtensionHopByHop = 0;
inline constexpr std::uint8_t kExtensionRouting = 43;
inline constexpr std::uint8_t kExtensionFragment = 44;
inline constexpr std::uint8_t kExtensionTarget = 60;
inline constexpr std::uint8_t kExtensionMobility = 135;
inline constexpr std::uint8_t kExtensionHip = 139;
inline constexpr std::uint8_t kExtensionShim6 = 140;

//  0               2               4               6       7       8
// +---+-------+---+---------------+---------------+-------+-------+
// | 6 | class | flow label        | payload length| next  | hops  |
// +---+-------+---+---------------+---------------+-------+-------+
// | source (16)                   | target (16)                   |
// +-------------------------------+-------------------------------+
struct Ipv6 {
    static constexpr std::size_t kHeaderBytes = 40;
    std::size_t payload_bytes{};  // extensions included; meaningless if length_unset
    bool length_unset{};          // payload length 0: offload, or a jumbogram (RFC 2675)
    std::uint8_t next_header{};
    const std::uint8_t* header = nullptr;  // borrowed; the forty bytes
};

// Innermost IP fields of a view; the protocol is the next header until extensions have been walked.
inline void fill_ipv6(const std::uint8_t* header, PacketView& out) noexcept {
    out.source = Address::from_v6(header + 8);
    out.target = Address::from_v6(header + 24);
    out.ip_version = 6;
    out.traffic_class = static_cast<std::uint8_t>(load_be16(header) >> 4);
    out.ip_id = 0;
    out.dont_fragment = true;
    out.ttl = header[7];
    out.protocol = header[6];
}

// ok: `in` stands after the fixed header. need_more: fewer than 40 bytes. not_this: version is
// not 6.
inline Parse read(ByteReader& in, Ipv6& out) noexcept {
    const std::uint8_t* at = in.fixed<Ipv6::kHeaderBytes>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] >> 4 != 6) return Parse::not_this;
    out.payload_bytes = load_be16(at + 4);
    out.length_unset = out.payload_bytes == 0;
    out.next_header = at[6];
    out.header = at;
    return Parse::ok;
}

// Extension headers that are stepped over by their length field; AH as well (RFC 4302), whose
// contents are in clear. The fragment header is not among them.
constexpr bool is_ipv6_extension(std::uint8_t protocol) noexcept {
    return protocol == kExtensionHopByHop || protocol == kExtensionRouting ||
           protocol == kExtensionTarget || protocol == kProtocolAh ||
           protocol == kExtensionMobility || protocol == kExtensionHip ||
           protocol == kExtensionShim6;
}

// Steps over one extension of kind `protocol` and sets `next_header` to what it names.
// ok: stepped over. need_more: the bytes end inside it. malformed: an AH shorter than its fixed
// part.
inline Parse step_extension(ByteReader& in, std::uint8_t protocol,
                            std::uint8_t& next_header) noexcept {
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    next_header = at[0];
    // AH counts words of four bytes less two, the others words of eight less one.
    const std::size_t total_bytes =
        protocol == kProtocolAh ? (std::size_t{at[1]} + 2) * 4 : (std::size_t{at[1]} + 1) * 8;
    if (total_bytes < (protocol == kProtocolAh ? 12u : 8u)) return Parse::malformed;
    in.skip(total_bytes - 8);
    return in.failed() ? Parse::need_more : Parse::ok;
}

//  0       1       2               4               8
// +-------+-------+---------+---+-+---------------+
// | next  | 0     | offset/8| 0 |M| identification|
// +-------+-------+---------+---+-+---------------+
struct Ipv6Fragment {
    static constexpr std::size_t kBytes = 8;
    std::uint8_t next_header{};
    bool more_fragments{};
    std::size_t offset{};  // in bytes
    std::uint32_t id{};
};

// ok: `in` stands after the fragment header. need_more: fewer than 8 bytes.
inline Parse read(ByteReader& in, Ipv6Fragment& out) noexcept {
    const std::uint8_t* at = in.fixed<Ipv6Fragment::kBytes>();
    if (at == nullptr) return Parse::need_more;
    out.next_header = at[0];
    out.offset = load_be16(at + 2) & 0xfff8;
    out.more_fragments = (at[3] & 1) != 0;
    out.id = load_be32(at + 4);
    return Parse::ok;
}

}  // namespace seine::wire
