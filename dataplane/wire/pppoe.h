// PPPoE sessions (RFC 2516) and PPP framing (RFC 1661, RFC 1662).
#pragma once
#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"

namespace seine::wire {

// +---+---+-------+---------------+---------------+--
// | 1 | 1 | code  | session id    | length        | PPP, from its protocol on
// +---+---+-------+---------------+---------------+--
struct Pppoe {
    static constexpr std::size_t kHeaderBytes = 6;
    std::uint16_t session_id{};
    std::size_t payload_bytes{};
};

// ok: `in` stands before the PPP protocol. need_more: fewer than 6 bytes. not_this: no session
// data. malformed: another version or type.
inline Parse read(ByteReader& in, Pppoe& out) noexcept {
    const std::uint8_t* at = in.fixed<Pppoe::kHeaderBytes>();
    if (at == nullptr) return Parse::need_more;
    if (at[0] != 0x11) return Parse::malformed;
    if (at[1] != 0) return Parse::not_this;
    out.session_id = load_be16(at + 2);
    out.payload_bytes = load_be16(at + 4);
    return Parse::ok;
}

inline constexpr std::uint16_t kPppIpv4 = 0x0021;
inline constexpr std::uint16_t kPppIpv6 = 0x0057;
inline constexpr std::uint16_t kPppMpls = 0x0281;
inline constexpr std::uint16_t kPppMplsMulticast = 0x0283;

// [ff 03] protocol (two bytes, or one whose low bit is set when compressed), or, for Cisco HDLC, 0f
// 00 or 8f 00 and an EtherType.
struct Ppp {
    std::uint16_t protocol{};
    bool is_ether_type{};  // Cisco HDLC
};

// ok: `in` stands after the protocol. need_more: it ends before. malformed: the protocol's second
// byte is even (RFC 1661 section 2).
inline Parse read(ByteReader& in, Ppp& out) noexcept {
    const ByteView bytes = in.rest();
    if (bytes.empty()) return Parse::need_more;
    const bool hdlc = bytes[0] == 0xff;
    const bool cisco = bytes[0] == 0x0f || bytes[0] == 0x8f;
    if (bytes.size() < 2 && (hdlc || cisco)) return Parse::need_more;
    if (hdlc && bytes[1] == 0x03) {
        in.skip(2);
    } else if (cisco && bytes[1] == 0) {
        in.skip(2);
        out.is_ether_type = true;
        out.protocol = in.be16();
        return in.failed() ? Parse::need_more : Parse::ok;
    }
    out.is_ether_type = false;
    out.protocol = in.u8();
    if ((out.protocol & 1) == 0) {
        const std::uint8_t low = in.u8();
        if (!in.failed() && (low & 1) == 0) return Parse::malformed;
        out.protocol = static_cast<std::uint16_t>((out.protocol << 8) | low);
    }
    return in.failed() ? Parse::need_more : Parse::ok;
}

}  // namespace seine::wire
