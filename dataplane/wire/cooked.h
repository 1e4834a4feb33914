// Headers that capture software puts in place of a link layer: Linux cooked, NFLOG, BSD loopback.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"

namespace seine::wire {

// The EtherType of what follows; below 1536 one of Linux's own numbers (4: 802.2 LLC).
struct Cooked {
    std::uint16_t type{};
};
inline constexpr std::uint16_t kCookedLlc = 4;

// Linux cooked v1, 16 bytes: packet type, ARPHRD, address length, address (8), protocol.
// ok: `in` stands after it. need_more: it ends before.
inline Parse read_linux_sll(ByteReader& in, Cooked& out) noexcept {
    const std::uint8_t* at = in.fixed<16>();
    if (at == nullptr) return Parse::need_more;
    out.type = load_be16(at + 14);
    return Parse::ok;
}

// Linux cooked v2, 20 bytes: protocol, reserved, interface (4), ARPHRD, packet type, address
// length, address (8). ok: `in` stands after it. need_more: it ends before.
inline Parse read_linux_sll2(ByteReader& in, Cooked& out) noexcept {
    const std::uint8_t* at = in.fixed<20>();
    if (at == nullptr) return Parse::need_more;
    out.type = load_be16(at);
    return Parse::ok;
}

// BSD null and loop: the address family in four bytes, in the byte order of the capturing host or
// of the network. IPv6 has a number of its own on each BSD. ok: an IP packet follows. need_more: it
// ends before. not_this: another family.
inline Parse read_loopback(ByteReader& in) noexcept {
    const std::uint8_t* at = in.fixed<4>();
    if (at == nullptr) return Parse::need_more;
    const std::uint32_t little = load_le32(at);
    const std::uint32_t family = little < 0x10000 ? little : load_be32(at);
    switch (family) {
        case 2:   // AF_INET
        case 10:  // AF_INET6: Linux
        case 24:  // NetBSD, OpenBSD
        case 28:  // FreeBSD
        case 30:  // macOS
            return Parse::ok;
        default:
            return Parse::not_this;
    }
}

// NFLOG: family, version (0), resource id, then TLVs aligned to four bytes, their length and type
// in the byte order of the capturing host. The packet is TLV 9. ok: `in` holds the packet alone.
// need_more: it ends before a packet TLV, or inside it: `missing` is then the number of its bytes
// that are not there and `in` holds the rest. not_this: no IP family. malformed: a TLV shorter than
// its header. limit: more than 32 TLVs.
inline Parse read_nflog(ByteReader& in, std::size_t& missing) noexcept {
    constexpr int kTlvsMax = 32;
    constexpr std::uint16_t kPayload = 9;
    missing = 0;
    const std::uint8_t* header = in.fixed<4>();
    if (header == nullptr) return Parse::need_more;
    if (header[0] != 2 && header[0] != 10) return Parse::not_this;
    bool big_endian = false;
    for (int i = 0; i < kTlvsMax; ++i) {
        const std::uint8_t* at = in.fixed<4>();
        if (at == nullptr) return Parse::need_more;
        // The first length tells the byte order: TLVs before the packet are short.
        if (i == 0) big_endian = load_le16(at) >= 256 && load_be16(at) < 256 && load_be16(at) >= 4;
        const std::size_t tlv_bytes = big_endian ? load_be16(at) : load_le16(at);
        const std::uint16_t type = big_endian ? load_be16(at + 2) : load_le16(at + 2);
        if (tlv_bytes < 4) return Parse::malformed;
        const std::size_t value_bytes = tlv_bytes - 4;
        if ((type & 0x7fff) == kPayload) {
            if (value_bytes > in.left()) {
                missing = value_bytes - in.left();
                return Parse::need_more;
            }
            in = ByteReader(in.take(value_bytes));
            return Parse::ok;
        }
        in.skip((value_bytes + 3) & ~std::size_t{3});
    }
    return Parse::limit;
}

}  // namespace seine::wire
