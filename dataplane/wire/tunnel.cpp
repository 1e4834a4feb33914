#include "dataplane/wire/tunnel.h"

namespace seine::wire {

Parse read(ByteReader& in, Gre& out) noexcept {
    constexpr int kRoutesMax = 8;
    const std::uint8_t* at = in.fixed<4>();
    if (at == nullptr) return Parse::need_more;
    const std::uint16_t flags = load_be16(at);
    out.protocol = load_be16(at + 2);
    out.version = flags & 7;
    out.has_key = (flags & 0x2000) != 0;
    out.has_sequence = (flags & 0x1000) != 0;
    out.reserved_set = (flags & 0x4ff8) != 0;
    out.key = 0;
    if (out.version > 1) return Parse::not_this;
    if (out.version == 1 && !out.has_key) return Parse::malformed;
    const bool routing = (flags & 0x4000) != 0 && out.version == 0;
    if ((flags & 0xc000) != 0 && out.version == 0) in.skip(4);
    if (out.has_key) out.key = in.be32();
    if (out.has_sequence) in.skip(4);
    if (out.version == 1 && (flags & 0x0080) != 0) in.skip(4);
    if (routing) {
        int routes = 0;
        for (;; ++routes) {
            if (routes == kRoutesMax) return Parse::limit;
            const std::uint8_t* route = in.fixed<4>();
            if (route == nullptr) return Parse::need_more;
            if (route[3] == 0) break;
            in.skip(route[3]);
        }
    }
    return in.failed() ? Parse::need_more : Parse::ok;
}

Parse read_erspan2(ByteReader& in, Erspan& out) noexcept {
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] >> 4 != 1) return Parse::malformed;
    out.session_id = load_be16(at + 2) & 0x03ff;
    out.is_ip = false;
    return Parse::ok;
}

Parse read_erspan3(ByteReader& in, Erspan& out) noexcept {
    const std::uint8_t* at = in.fixed<12>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] >> 4 != 2) return Parse::malformed;
    out.session_id = load_be16(at + 2) & 0x03ff;
    const std::uint16_t last = load_be16(at + 10);
    out.is_ip = ((last >> 10) & 0x1f) == 2;
    if ((last & 1) != 0) in.skip(8);
    return in.failed() ? Parse::need_more : Parse::ok;
}

Parse skip_wifi(ByteReader& in) noexcept {
    const std::uint8_t* at = in.fixed<24>();
    if (at == nullptr) return Parse::need_more;
    constexpr std::uint8_t kTypeMask = 0x0f;
    constexpr std::uint8_t kData = 0x08;
    const bool null_data = (at[0] & 0x40) != 0;
    const bool encrypted = (at[1] & 0x40) != 0;
    if ((at[0] & kTypeMask) != kData || null_data || encrypted) return Parse::not_this;
    const bool qos = (at[0] & 0x80) != 0;
    if ((at[1] & 3) == 3) in.skip(6);
    if (qos) in.skip(2);
    if (qos && (at[1] & 0x80) != 0) in.skip(4);
    return in.failed() ? Parse::need_more : Parse::ok;
}

Parse read(ByteReader& in, Vxlan& out) noexcept {
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    const bool group_policy = (at[0] & 0x80) != 0;
    if ((at[0] & 0x7f) != 0x08 || at[7] != 0) return Parse::not_this;
    if (group_policy ? (at[1] & 0xb7) != 0 : load_be24(at + 1) != 0) return Parse::not_this;
    out.vni = load_be24(at + 4);
    return Parse::ok;
}

Parse read(ByteReader& in, VxlanGpe& out) noexcept {
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    constexpr std::uint8_t kInstance = 0x08;
    constexpr std::uint8_t kNextProtocol = 0x04;
    // Two reserved bits, version 0, I, P, B (broadcast, allowed), O (management, not data).
    if ((at[0] & 0xf1) != 0 || load_be16(at + 1) != 0 || at[7] != 0) return Parse::not_this;
    if ((at[0] & kInstance) == 0) return Parse::not_this;
    out.vni = load_be24(at + 4);
    if ((at[0] & kNextProtocol) == 0) {
        out.inner = InnerKind::ethernet;
        return at[3] == 0 ? Parse::ok : Parse::not_this;
    }
    switch (at[3]) {
        case 1:
            out.inner = InnerKind::ipv4;
            return Parse::ok;
        case 2:
            out.inner = InnerKind::ipv6;
            return Parse::ok;
        case 3:
            out.inner = InnerKind::ethernet;
            return Parse::ok;
        case 5:
            out.inner = InnerKind::mpls;
            return Parse::ok;
        default:
            return Parse::not_this;
    }
}

Parse read(ByteReader& in, Geneve& out) noexcept {
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] >> 6 != 0 || (at[1] & 0x3f) != 0 || at[7] != 0) return Parse::not_this;
    out.protocol = load_be16(at + 2);
    if (out.protocol != kEtherTypeTeb && !is_known_type(out.protocol)) return Parse::not_this;
    if (out.protocol <= kEtherLengthMax) return Parse::not_this;
    out.vni = load_be24(at + 4);
    in.skip(std::size_t{4} * (at[0] & 0x3f));
    return in.failed() ? Parse::need_more : Parse::ok;
}

Parse read(ByteReader& in, Gtpu& out) noexcept {
    constexpr int kExtensionsMax = 8;
    constexpr std::uint8_t kTpdu = 255;
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    // Version 1, protocol type 1, reserved bit 0.
    if ((at[0] & 0xf8) != 0x30 || at[1] != kTpdu) return Parse::not_this;
    const std::size_t length_bytes = load_be16(at + 2);
    out.teid = load_be32(at + 4);
    std::size_t header_bytes = 0;  // of the optional part, which the length counts
    if ((at[0] & 0x07) != 0) {
        const std::uint8_t* option = in.fixed<4>();
        if (option == nullptr) return Parse::need_more;
        header_bytes = 4;
        std::uint8_t next = (at[0] & 0x04) != 0 ? option[3] : 0;
        for (int count = 0; next != 0; ++count) {
            if (count == kExtensionsMax) return Parse::limit;
            const std::size_t extension_bytes = std::size_t{4} * in.u8();
            if (in.failed()) return Parse::need_more;
            if (extension_bytes == 0) return Parse::malformed;
            in.skip(extension_bytes - 2);
            next = in.u8();
            if (in.failed()) return Parse::need_more;
            header_bytes += extension_bytes;
        }
    }
    if (length_bytes < header_bytes) return Parse::malformed;
    out.payload_bytes = length_bytes - header_bytes;
    return Parse::ok;
}

Parse skip_teredo(ByteReader& in) noexcept {
    ByteView bytes = in.rest();
    if (bytes.size() >= 4 && load_be16(bytes.data()) == 0x0001) {
        // Authentication: two lengths, identifier, value, nonce (8), confirmation (1).
        in.skip(std::size_t{13} + bytes[2] + bytes[3]);
        bytes = in.rest();
    }
    if (bytes.size() >= 2 && load_be16(bytes.data()) == 0x0000) {
        in.skip(8);
        bytes = in.rest();
    }
    if (in.failed() || bytes.size() < 40) return Parse::need_more;
    return bytes[0] >> 4 == 6 ? Parse::ok : Parse::not_this;
}

Parse read(ByteReader& in, Ayiya& out) noexcept {
    constexpr std::uint8_t kForward = 1;
    const std::uint8_t* at = in.fixed<8>();
    if (at == nullptr) return Parse::need_more;
    if ((at[2] & 15) != kForward || (at[0] & 15) > 2 || (at[1] & 15) > 3) return Parse::not_this;
    out.next_header = at[3];
    in.skip((std::size_t{1} << (at[0] >> 4)) + std::size_t{4} * (at[1] >> 4));
    return in.failed() ? Parse::need_more : Parse::ok;
}

}  // namespace seine::wire
