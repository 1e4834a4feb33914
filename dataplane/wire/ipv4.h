// IPv4 header (RFC 791): length and fragment fields checked, options stepped over.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

inline constexpr std::uint8_t kProtocolIpv4 = 4;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIpv6 = 41;
inline constexpr std::uint8_t kProtocolGre = 47;
inline constexpr std::uint8_t kProtocolEsp = 50;
inline constexpr std::uint8_t kProtocolAh = 51;
inline constexpr std::uint8_t kProtocolEtherIp = 97;
inline constexpr std::uint8_t kProtocolMpls = 137;

//  0       1       2               4               6               8
// +---+---+-------+---------------+---------------+-+-+-+---------+
// | 4 |ihl| class | total length  | id            |0|D|M| offset/8|
// +---+---+-------+---------------+---------------+-+-+-+---------+
// | ttl   |protocol| checksum     | source                        |
// +-------+-------+---------------+-------------------------------+
// | target                        | options ...
// +-------------------------------+--
struct Ipv4 {
    static constexpr std::size_t kHeaderBytesMin = 20;
    static constexpr std::uint16_t kFragmentMask = 0x3fff;  // more fragments, or an offset
    std::size_t payload_bytes{};    // by the total length; meaningless if length_unset
    std::size_t fragment_offset{};  // in bytes
    bool more_fragments{};
    bool length_unset{};  // total length 0: a segmentation-offload frame before the NIC
    const std::uint8_t* header = nullptr;  // borrowed; the fixed twenty bytes
};

// Innermost IP fields of a view from the fixed twenty bytes of a header.
inline void fill_ipv4(const std::uint8_t* header, PacketView& out) noexcept {
    out.source = Address::from_v4(header + 12);
    out.target = Address::from_v4(header + 16);
    out.ip_version = 4;
    out.traffic_class = header[1];
    out.ip_id = load_be16(header + 4);
    out.dont_fragment = (header[6] & 0x40) != 0;
    out.ttl = header[8];
    out.protocol = header[9];
}

// ok:        `in` stands after the options.
// need_more: the bytes end inside the header.
// not_this:  the version is not 4.
// malformed: a header length under five words, or a total length shorter than the header.
// The header checksum is not looked at (offload leaves it wrong on the sending host).
inline Parse read(ByteReader& in, Ipv4& out) noexcept {
    const std::uint8_t* at = in.fixed<Ipv4::kHeaderBytesMin>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] >> 4 != 4) return Parse::not_this;
    const std::size_t header_bytes = std::size_t{4} * (at[0] & 15);
    const std::size_t total_bytes = load_be16(at + 2);
    if (header_bytes < Ipv4::kHeaderBytesMin) return Parse::malformed;
    if (total_bytes != 0 && total_bytes < header_bytes) return Parse::malformed;
    out.length_unset = total_bytes == 0;
    out.payload_bytes = out.length_unset ? 0 : total_bytes - header_bytes;
    const std::uint16_t fragment = load_be16(at + 6);
    out.fragment_offset = std::size_t{8} * (fragment & 0x1fff);
    out.more_fragments = (fragment & 0x2000) != 0;
    out.header = at;
    in.skip(header_bytes - Ipv4::kHeaderBytesMin);
    return in.failed() ? Parse::need_more : Parse::ok;
}

}  // namespace seine::wire
