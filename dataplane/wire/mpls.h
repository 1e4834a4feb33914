// MPLS label stack (RFC 3032) and the guess at what its bottom carries.
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/wire/ethernet.h"
#include "dataplane/wire/packet_view.h"

namespace seine::wire {

// +-----------------------------------------+------+-+-------+
// | label (20)                              | class|S| ttl   |   S: last of the stack
// +-----------------------------------------+------+-+-------+
struct MplsStack {
    std::uint8_t count{};
    std::uint32_t labels[kMplsLabelsMax];  // the first `count`, outermost first
};

// ok: `in` stands after the bottom label. need_more: it ends before. limit: more than eight labels.
inline Parse read(ByteReader& in, MplsStack& out) noexcept {
    out.count = 0;
    while (out.count < kMplsLabelsMax) {
        const std::uint8_t* at = in.fixed<4>();
        if (at == nullptr) return Parse::need_more;
        out.labels[out.count++] = load_be24(at) >> 4;
        if ((at[2] & 1) != 0) return Parse::ok;
    }
    return Parse::limit;
}

// Next headers that an IPv6 packet of interest begins with.
constexpr bool is_ip_next_header(std::uint8_t protocol) noexcept {
    switch (protocol) {
        case 0:
        case 4:
        case 6:
        case 17:
        case 41:
        case 43:
        case 44:
        case 47:
        case 50:
        case 51:
        case 58:
        case 60:
            return true;
        default:
            return false;
    }
}

enum class MplsInner : std::uint8_t {
    ipv4,
    ipv6,
    ethernet,                     // a pseudowire without control word (RFC 4448)
    ethernet_after_control_word,  // skip four bytes first (RFC 4385)
    unknown,
};

// The labels do not say what they carry; the bytes do, mostly. An IP header is believed when its fixed
// fields are sound, a pseudowire when a known EtherType stands where it has to. A zero first nibble is
// a control word rather than a MAC that begins with zero if both would fit.
inline MplsInner mpls_inner(ByteView bytes) noexcept {
    const auto type_at = [bytes](std::size_t offset) {
        return bytes.size() >= offset + 2 && is_known_type(load_be16(bytes.data() + offset));
    };
    if (bytes.empty()) return MplsInner::unknown;
    const std::uint8_t first = bytes[0];
    if (first >> 4 == 4 && (first & 15) >= 5) {
        // A MAC may begin like this too: the length field settles it where it is there.
        if (bytes.size() < 4 || !type_at(12)) return MplsInner::ipv4;
        const std::size_t total_bytes = load_be16(bytes.data() + 2);
        if (total_bytes == 0 || total_bytes >= std::size_t{4} * (first & 15)) return MplsInner::ipv4;
    }
    if (first >> 4 == 6) {
        if (bytes.size() < 7 || !type_at(12) || is_ip_next_header(bytes[6])) return MplsInner::ipv6;
    }
    if (first >> 4 == 0 && type_at(4 + 12)) return MplsInner::ethernet_after_control_word;
    if (type_at(12)) return MplsInner::ethernet;
    return MplsInner::unknown;
}

}  // namespace seine::wire
