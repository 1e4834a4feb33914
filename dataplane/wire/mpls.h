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

// Whether the frame that would begin at `offset` has a believable EtherType: one that we know, and
// for IP the version that goes with it. `lengths` accepts an 802.3 length instead.
inline bool ethernet_fits(ByteView bytes, std::size_t offset, bool lengths) noexcept {
    if (bytes.size() < offset + Ethernet::kHeaderBytes) return false;
    const std::uint16_t type = load_be16(bytes.data() + offset + 12);
    if (type <= kEtherLengthMax) return lengths;
    if (!is_known_type(type)) return false;
    if (bytes.size() == offset + Ethernet::kHeaderBytes) return true;
    const int version = bytes[offset + Ethernet::kHeaderBytes] >> 4;
    if (type == kEtherTypeIpv4) return version == 4;
    if (type == kEtherTypeIpv6) return version == 6;
    return true;
}

// The labels do not say what they carry; the bytes do, mostly. An IP header is believed when its
// fixed fields are sound and no EtherType stands where a pseudowire would have it. A zero first
// nibble is a control word rather than a MAC that begins with zero if both would fit.
inline MplsInner mpls_inner(ByteView bytes) noexcept {
    if (bytes.empty()) return MplsInner::unknown;
    const std::uint8_t first = bytes[0];
    const bool bare_fits = ethernet_fits(bytes, 0, false);
    if (first >> 4 == 4 && (first & 15) >= 5) {
        const bool length_sound = bytes.size() < 4 || load_be16(bytes.data() + 2) == 0 ||
                                  load_be16(bytes.data() + 2) >= std::size_t{4} * (first & 15);
        if (!bare_fits || length_sound) return MplsInner::ipv4;
    }
    if (first >> 4 == 6 && (!bare_fits || is_ip_next_header(bytes[6]))) return MplsInner::ipv6;
    const bool may_have_word = first >> 4 == 0;
    if (may_have_word && ethernet_fits(bytes, 4, false))
        return MplsInner::ethernet_after_control_word;
    if (bare_fits) return MplsInner::ethernet;
    if (may_have_word && ethernet_fits(bytes, 4, true))
        return MplsInner::ethernet_after_control_word;
    return ethernet_fits(bytes, 0, true) ? MplsInner::ethernet : MplsInner::unknown;
}

}  // namespace seine::wire
