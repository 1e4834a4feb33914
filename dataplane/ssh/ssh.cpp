// SSH version exchange, packet framing in clear and the KEXINIT name lists.
#include "dataplane/ssh/ssh.h"

#include "dataplane/base/byte_reader.h"

namespace seine::ssh {
namespace {

constexpr std::string_view kMark = "SSH-";
constexpr std::uint8_t kMessageKexInit = 20;
constexpr std::uint8_t kMessageIgnore = 2;
constexpr std::uint8_t kMessageUnimplemented = 3;
constexpr std::uint8_t kMessageDebug = 4;
constexpr std::size_t kPaddingBytesMin = 4;

// Length of the line at the front of `bytes` without its end; `next` is where the one after begins.
// ok, need_more, limit, malformed (a NUL).
Parse line_here(ByteView bytes, std::size_t& length, std::size_t& next) noexcept {
    const std::size_t bound = bytes.size() < kBannerBytesMax ? bytes.size() : kBannerBytesMax;
    for (std::size_t i = 0; i < bound; ++i) {
        if (bytes[i] == 0) return Parse::malformed;
        if (bytes[i] != '\n') continue;
        next = i + 1;
        length = i > 0 && bytes[i - 1] == '\r' ? i - 1 : i;
        return Parse::ok;
    }
    return bytes.size() < kBannerBytesMax ? Parse::need_more : Parse::limit;
}

bool is_text(ByteView line) noexcept {
    for (const std::uint8_t c : line)
        if (c < 0x20 && c != '\t') return false;
    return true;
}

// SSH-protoversion-softwareversion SP comments
Parse split_banner(std::string_view text, Banner& out) noexcept {
    const std::size_t dash = text.find('-', kMark.size());
    if (dash == std::string_view::npos || dash == kMark.size()) return Parse::malformed;
    out.text = text;
    out.protocol = text.substr(kMark.size(), dash - kMark.size());
    out.software = text.substr(dash + 1);
    out.software = out.software.substr(0, out.software.find(' '));
    out.has_kexinit = out.protocol.starts_with("2.") || out.protocol == "1.99";
    return Parse::ok;
}

bool read_names(ByteReader& in, std::string_view& out) noexcept {
    const std::uint32_t length = in.be32();
    const ByteView names = in.take(length);
    if (in.failed()) return false;
    for (const std::uint8_t c : names)
        if (c < 0x20 || c > 0x7e) return false;
    out = as_text(names);
    return true;
}

}  // namespace

Parse looks_like_ssh(ByteView bytes) noexcept {
    const std::size_t here = bytes.size() < kMark.size() ? bytes.size() : kMark.size();
    if (!starts_with(bytes, kMark.substr(0, here))) return Parse::not_this;
    return here == kMark.size() ? Parse::ok : Parse::need_more;
}

Parse parse_banner(ByteView bytes, Banner& out) noexcept {
    out = {};
    std::size_t at = 0;
    for (std::size_t lines = 0; lines <= kLinesBeforeMax; ++lines) {
        const ByteView rest = bytes.subspan(at);
        const Parse shape = looks_like_ssh(rest);
        std::size_t length = 0;
        std::size_t next = 0;
        const Parse parse = line_here(rest, length, next);
        if (parse == Parse::malformed && shape != Parse::ok) return Parse::not_this;
        if (parse != Parse::ok) return parse;
        const ByteView line = rest.first(length);
        at += next;
        if (shape == Parse::ok) {
            out.consumed = at;
            return split_banner(as_text(line), out);
        }
        if (!is_text(line)) return Parse::not_this;
    }
    return Parse::not_this;
}

Parse parse_packet(ByteView bytes, Packet& out) noexcept {
    ByteReader in(bytes);
    const std::uint32_t length = in.be32();
    if (in.failed()) return Parse::need_more;
    if (length > kPacketBytesMax) return Parse::limit;
    if (length < 1 + kPaddingBytesMin + 1) return Parse::malformed;
    ByteReader packet(in.take(length));
    if (in.failed()) return Parse::need_more;
    const std::size_t padding = packet.u8();
    if (padding < kPaddingBytesMin || padding >= packet.left()) return Parse::malformed;
    out.payload = packet.take(packet.left() - padding);
    out.consumed = bytes.size() - in.left();
    return Parse::ok;
}

//  | 20 (1) | cookie (16) | ten name lists (4 + n each) | first_kex_packet_follows (1) | 0 (4) |
Parse parse_kexinit(ByteView payload, KexInit& out) noexcept {
    out = {};
    ByteReader in(payload);
    if (in.u8() != kMessageKexInit || in.failed()) return Parse::not_this;
    in.skip(16);
    std::string_view* const lists[] = {
        &out.kex,           &out.host_key,     &out.encryption_c2s,  &out.encryption_s2c,
        &out.mac_c2s,       &out.mac_s2c,      &out.compression_c2s, &out.compression_s2c,
        &out.languages_c2s, &out.languages_s2c};
    for (std::string_view* list : lists)
        if (!read_names(in, *list)) return Parse::malformed;
    out.first_kex_follows = in.u8() != 0;
    return in.failed() ? Parse::malformed : Parse::ok;
}

Direction::Step Direction::broken(Parse parse, ByteView bytes) noexcept {
    at_ = At::done;
    return either_ ? Step{Parse::ok, Event::none, bytes.size()} : Step{parse, Event::none, 0};
}

Direction::Step Direction::feed(ByteView bytes, Banner& banner, KexInit& kexinit) noexcept {
    if (at_ == At::done) return {Parse::not_this, Event::none, 0};
    if (at_ == At::banner) {
        const Parse parse = parse_banner(bytes, banner);
        if (parse != Parse::ok) return {parse, Event::none, 0};
        at_ = banner.has_kexinit ? At::packets : At::done;
        either_ = banner.protocol == "1.99";
        return {Parse::ok, Event::banner, banner.consumed};
    }
    Packet packet;
    Parse parse = parse_packet(bytes, packet);
    if (parse == Parse::need_more) return {parse, Event::none, 0};
    if (parse != Parse::ok) return broken(parse, bytes);
    parse = parse_kexinit(packet.payload, kexinit);
    if (parse == Parse::not_this) {
        const std::uint8_t message = packet.payload[0];
        const bool passes = message == kMessageIgnore || message == kMessageDebug ||
                            message == kMessageUnimplemented;
        if (!passes) return broken(Parse::malformed, bytes);
        if (++packets_ > kPacketsBeforeMax) return broken(Parse::limit, bytes);
        return {Parse::ok, Event::none, packet.consumed};
    }
    if (parse != Parse::ok) return broken(parse, bytes);
    at_ = At::done;
    return {Parse::ok, Event::kexinit, packet.consumed};
}

}  // namespace seine::ssh
