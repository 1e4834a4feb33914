// PROXY protocol headers, both versions (the public proxy-protocol.txt of HAProxy,
// sections 2.1, 2.2).
#include "dataplane/preface/proxy_protocol.h"

#include <charconv>

#include "dataplane/base/byte_reader.h"

namespace seine::preface {
namespace {

constexpr std::string_view kV1Mark = "PROXY ";
constexpr std::string_view kV2Mark("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::uint8_t kTlvAlpn = 0x01;
constexpr std::uint8_t kTlvAuthority = 0x02;
constexpr std::uint8_t kTlvUniqueId = 0x05;
constexpr std::uint8_t kTlvSsl = 0x20;
constexpr std::uint8_t kSubTlvSslVersion = 0x21;

// ok: all of the mark; need_more: a part of it; not_this.
Parse mark_here(ByteView bytes, std::string_view mark) noexcept {
    const std::size_t here = bytes.size() < mark.size() ? bytes.size() : mark.size();
    if (!starts_with(bytes, mark.substr(0, here))) return Parse::not_this;
    return here == mark.size() ? Parse::ok : Parse::need_more;
}

std::string_view next_word(std::string_view& line) noexcept {
    const std::size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    line = blank == std::string_view::npos ? std::string_view{} : line.substr(blank + 1);
    return word;
}

bool read_number(std::string_view text, int base, unsigned max, unsigned& out) noexcept {
    const auto done = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return !text.empty() && done.ec == std::errc() && done.ptr == text.data() + text.size() &&
           out <= max;
}

bool read_ipv4(std::string_view text, std::uint8_t* out) noexcept {
    for (int i = 0; i < 4; ++i) {
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != (i == 3)) return false;
        unsigned number = 0;
        if (!read_number(text.substr(0, dot), 10, 255, number)) return false;
        out[i] = static_cast<std::uint8_t>(number);
        text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    }
    return true;
}

// RFC 4291 section 2.2: eight groups, one run of them written `::`, the last two perhaps as IPv4.
bool read_ipv6(std::string_view text, std::uint8_t* out) noexcept {
    std::uint8_t bytes[16] = {};
    std::size_t count = 0;
    std::size_t gap = 17;  // where `::` stands, in bytes
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        if (count == 16) return false;
        const std::size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
            if (count > 12 || !read_ipv4(group, bytes + count)) return false;
            count += 4;
            break;
        }
        unsigned number = 0;
        if (group.size() > 4 || !read_number(group, 16, 0xffff, number)) return false;
        bytes[count++] = static_cast<std::uint8_t>(number >> 8);
        bytes[count++] = static_cast<std::uint8_t>(number & 0xff);
        if (colon == std::string_view::npos) break;
        text.remove_prefix(colon + 1);
        if (text.empty()) return false;
        if (text.front() == ':') {
            if (gap != 17) return false;
            gap = count;
            text.remove_prefix(1);
        }
    }
    if (gap == 17 ? count != 16 : count > 14) return false;
    const std::size_t head = gap == 17 ? 16 : gap;
    for (std::size_t i = 0; i < head; ++i) out[i] = bytes[i];
    for (std::size_t i = head; i < 16; ++i) out[i] = 0;
    for (std::size_t i = head; i < count; ++i) out[16 - count + i] = bytes[i];
    return true;
}

bool read_address(std::string_view text, std::uint8_t family, Address& out) noexcept {
    out.family = family;
    return family == 4 ? read_ipv4(text, out.ip.data()) : read_ipv6(text, out.ip.data());
}

// `PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n`
Parse parse_v1(ByteView bytes, ProxyHeader& out, std::size_t& consumed) noexcept {
    const std::string_view text = as_text(bytes).substr(0, ProxyHeader::kV1BytesMax);
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos)
        return text.size() < ProxyHeader::kV1BytesMax ? Parse::need_more : Parse::malformed;
    if (end < kV1Mark.size() || text[end - 1] != '\r') return Parse::malformed;
    std::string_view line = text.substr(kV1Mark.size(), end - 1 - kV1Mark.size());
    consumed = end + 1;
    out.version = 1;
    const std::string_view protocol = next_word(line);
    if (protocol == "UNKNOWN") {
        out.local = true;
        return Parse::ok;
    }
    if (protocol != "TCP4" && protocol != "TCP6") return Parse::malformed;
    const std::uint8_t family = protocol == "TCP4" ? 4 : 6;
    if (!read_address(next_word(line), family, out.source)) return Parse::malformed;
    if (!read_address(next_word(line), family, out.target)) return Parse::malformed;
    unsigned source_port = 0;
    unsigned target_port = 0;
    if (!read_number(next_word(line), 10, 65535, source_port)) return Parse::malformed;
    if (!read_number(next_word(line), 10, 65535, target_port)) return Parse::malformed;
    out.source.port = static_cast<std::uint16_t>(source_port);
    out.target.port = static_cast<std::uint16_t>(target_port);
    return line.empty() ? Parse::ok : Parse::malformed;
}

//  | client (1) | verify (4) | sub-TLVs |
void read_ssl(ByteView value, ProxyHeader& out) noexcept {
    ByteReader in(value);
    const std::uint8_t client = in.u8();
    in.skip(4);
    if (in.failed()) return;
    out.tls = (client & 1) != 0;
    for (std::size_t i = 0; i < ProxyHeader::kTlvsMax && !in.empty(); ++i) {
        const std::uint8_t type = in.u8();
        const ByteView part = in.vec16();
        if (in.failed()) return;
        if (type == kSubTlvSslVersion) {
            out.tls_version.clear();
            out.tls_version.append(as_text(part));
        }
    }
}

Parse read_tlvs(ByteReader in, ProxyHeader& out) noexcept {
    for (std::size_t i = 0; !in.empty(); ++i) {
        if (i == ProxyHeader::kTlvsMax) return Parse::limit;
        const std::uint8_t type = in.u8();
        const ByteView value = in.vec16();
        if (in.failed()) return Parse::malformed;
        if (type == kTlvUniqueId) {
            out.unique_id.clear();
            out.unique_id.append(as_text(value));
        } else if (type == kTlvAuthority) {
            out.authority.clear();
            out.authority.append(as_text(value));
        } else if (type == kTlvAlpn) {
            out.alpn.clear();
            out.alpn.append(as_text(value));
        } else if (type == kTlvSsl) {
            read_ssl(value, out);
        }
    }
    return Parse::ok;
}

bool read_addresses(ByteReader& in, std::uint8_t family, ProxyHeader& out) noexcept {
    const std::size_t ip_bytes = family == 4 ? 4 : 16;
    for (Address* address : {&out.source, &out.target}) {
        const ByteView ip = in.take(ip_bytes);
        for (std::size_t i = 0; i < ip.size(); ++i) address->ip[i] = ip[i];
        address->family = family;
    }
    out.source.port = in.be16();
    out.target.port = in.be16();
    return !in.failed();
}

//  | signature (12) | version, command (1) | family, transport (1) | length (2) | addresses | TLVs
//  |
Parse parse_v2(ByteView bytes, ProxyHeader& out, std::size_t& consumed) noexcept {
    ByteReader in(bytes);
    const std::uint8_t* at = in.fixed<16>();
    if (at == nullptr) return Parse::need_more;
    const unsigned command = at[12] & 0x0f;
    if ((at[12] >> 4) != 2 || command > 1) return Parse::malformed;
    const std::size_t length = load_be16(at + 14);
    if (16 + length > ProxyHeader::kV2BytesMax) return Parse::limit;
    ByteReader rest(in.take(length));
    if (in.failed()) return Parse::need_more;
    consumed = 16 + length;
    out.version = 2;
    out.local = command == 0;
    const unsigned family = at[13] >> 4;
    out.udp = (at[13] & 0x0f) == 2;
    constexpr std::size_t kUnixBytes = 216;
    switch (family) {
        case 1:
        case 2:
            if (!read_addresses(rest, family == 1 ? 4 : 6, out)) return Parse::malformed;
            break;
        case 3:
            rest.skip(kUnixBytes);
            if (rest.failed()) return Parse::malformed;
            break;
        case 0:
            return Parse::ok;  // the rest is to be ignored
        default:
            return Parse::malformed;
    }
    return read_tlvs(rest, out);
}

void clear(ProxyHeader& out) noexcept {
    out.version = 0;
    out.local = out.udp = out.tls = false;
    out.source = out.target = {};
    out.unique_id.clear();
    out.authority.clear();
    out.alpn.clear();
    out.tls_version.clear();
}

}  // namespace

Parse parse_proxy_header(ByteView bytes, ProxyHeader& out, std::size_t& consumed) noexcept {
    consumed = 0;
    clear(out);
    const Parse v2 = mark_here(bytes, kV2Mark);
    const Parse v1 = mark_here(bytes, kV1Mark);
    Parse parse = v2 == Parse::not_this ? v1 : v2;
    if (v2 == Parse::ok) parse = parse_v2(bytes, out, consumed);
    if (v1 == Parse::ok) parse = parse_v1(bytes, out, consumed);
    return parse;
}

}  // namespace seine::preface
