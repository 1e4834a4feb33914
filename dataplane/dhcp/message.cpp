// Reads DHCP messages; every list is bounded, nested options are walked without recursion.
#include "dataplane/dhcp/message.h"

#include "dataplane/base/byte_reader.h"

namespace seine::dhcp {
namespace {

constexpr std::size_t kBootpBytes = 236;
constexpr std::uint32_t kCookie = 0x63825363;
constexpr std::uint8_t kTypeLastV6 = 37;
constexpr std::uint8_t kRelayForward = 12;
constexpr std::uint8_t kRelayReply = 13;
constexpr std::size_t kNestingMax = 3;  // message, identity association, address or prefix

enum class OptionV4 : std::uint8_t {
    pad = 0,
    requested_address = 50,
    message_type = 53,
    parameter_list = 55,
    max_message_size = 57,
    client_fqdn = 81,
    end = 255,
};

enum class OptionV6 : std::uint16_t {
    client_id = 1,
    ia_na = 3,
    ia_ta = 4,
    ia_address = 5,
    option_request = 6,
    ia_pd = 25,
    ia_prefix = 26,
    client_fqdn = 39,
};

Parse read_option_v4(std::uint8_t code, ByteView value, Message& out) noexcept {
    if (!out.options.push(code)) return Parse::limit;
    switch (static_cast<OptionV4>(code)) {
        case OptionV4::message_type:
            if (value.size() != 1) return Parse::malformed;
            out.type = value[0];
            break;
        case OptionV4::max_message_size:
            if (value.size() != 2) return Parse::malformed;
            out.max_message_bytes = load_be16(value.data());
            break;
        case OptionV4::parameter_list:
            for (const std::uint8_t item : value) {
                if (!out.requested.push(item)) return Parse::limit;
            }
            break;
        case OptionV4::requested_address:
            out.requests_address = true;
            break;
        case OptionV4::client_fqdn:
            out.has_fqdn = true;
            break;
        case OptionV4::pad:
        case OptionV4::end:
            break;
    }
    return Parse::ok;
}

// Bytes in front of the options inside an option (RFC 8415 sections 21.4 to 21.6, 21.21, 21.22);
// zero when it holds none.
std::size_t fixed_bytes_of(OptionV6 code) noexcept {
    switch (code) {
        case OptionV6::ia_na:
        case OptionV6::ia_pd:
            return 12;
        case OptionV6::ia_ta:
            return 4;
        case OptionV6::ia_address:
            return 24;
        case OptionV6::ia_prefix:
            return 25;
        case OptionV6::client_id:
        case OptionV6::option_request:
        case OptionV6::client_fqdn:
            break;
    }
    return 0;
}

Parse read_option_v6(OptionV6 code, ByteView value, Message& out) noexcept {
    if (!out.options.push(static_cast<std::uint16_t>(code))) return Parse::limit;
    if (code == OptionV6::client_id && out.client_duid_bytes == 0) {
        out.client_duid_bytes = static_cast<std::uint16_t>(value.size());
    } else if (code == OptionV6::ia_ta) {
        out.requests_address = true;
    } else if (code == OptionV6::client_fqdn) {
        out.has_fqdn = true;
    } else if (code == OptionV6::option_request) {
        if (value.size() % 2 != 0) return Parse::malformed;
        for (std::size_t at = 0; at < value.size(); at += 2) {
            if (!out.requested.push(load_be16(&value[at]))) return Parse::limit;
        }
    }
    return Parse::ok;
}

Parse read_options_v6(ByteView options, Message& out) noexcept {
    FixedVector<ByteReader, kNestingMax> open;
    if (!open.push(ByteReader(options))) return Parse::limit;
    // Every turn takes an option, of which there are at most kOptionsMax, or closes a list.
    while (!open.empty()) {
        ByteReader& in = open.back();
        if (in.empty()) {
            open.pop();
            continue;
        }
        const auto code = static_cast<OptionV6>(in.be16());
        const ByteView value = in.vec16();
        if (in.failed()) return open.size() == 1 ? Parse::need_more : Parse::malformed;
        const Parse status = read_option_v6(code, value, out);
        if (status != Parse::ok) return status;
        const std::size_t fixed_bytes = fixed_bytes_of(code);
        if (fixed_bytes == 0) continue;
        if (value.size() < fixed_bytes) return Parse::malformed;
        // Deeper than the RFC nests, the rest stays unread.
        if (!open.full()) static_cast<void>(open.push(ByteReader(value.subspan(fixed_bytes))));
    }
    return Parse::ok;
}

}  // namespace

bool looks_like_v4(ByteView datagram) noexcept {
    if (datagram.size() < kBootpBytes + 4) return false;
    const std::uint8_t op = datagram[0];
    const std::uint8_t hardware_bytes = datagram[2];
    return (op == 1 || op == 2) && hardware_bytes <= 16 &&
           load_be32(&datagram[kBootpBytes]) == kCookie;
}

Parse read_v4(ByteView datagram, Message& out) noexcept {
    out = {};
    out.family = Family::v4;
    if (!looks_like_v4(datagram)) return Parse::not_this;
    ByteReader in(datagram.subspan(kBootpBytes + 4));
    while (!in.empty()) {
        const std::uint8_t code = in.u8();
        if (code == static_cast<std::uint8_t>(OptionV4::end)) break;
        if (code == static_cast<std::uint8_t>(OptionV4::pad)) continue;
        const ByteView value = in.vec8();
        if (in.failed()) return Parse::need_more;
        const Parse status = read_option_v4(code, value, out);
        if (status != Parse::ok) return status;
    }
    return out.type == 0 ? Parse::not_this : Parse::ok;
}

Parse read_v6(ByteView datagram, Message& out) noexcept {
    out = {};
    out.family = Family::v6;
    if (datagram.size() < 4) return Parse::not_this;
    ByteReader in(datagram);
    out.type = in.u8();
    if (out.type == 0 || out.type > kTypeLastV6) return Parse::not_this;
    in.skip(out.type == kRelayForward || out.type == kRelayReply ? 33 : 3);
    if (in.failed()) return Parse::need_more;
    return read_options_v6(in.rest(), out);
}

bool looks_like_v6(ByteView datagram, std::uint16_t source_port,
                   std::uint16_t target_port) noexcept {
    const bool ports = (source_port == kClientPortV6 || source_port == kServerPortV6) &&
                       (target_port == kClientPortV6 || target_port == kServerPortV6);
    if (!ports) return false;
    Message message;
    return read_v6(datagram, message) == Parse::ok && !message.options.empty();
}

}  // namespace seine::dhcp
