// Tells the prefaces apart by their first bytes and follows those made of text lines or elements.
#include "dataplane/preface/preface.h"

#include <cstring>

#include "dataplane/preface/handshakes.h"

namespace seine::preface {
namespace {

constexpr std::size_t kFirstLineBytesMax = 512;  // of a client whose server has not spoken yet

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// `word` is in upper case and must end at a blank or at the end of the line.
bool first_word_is(std::string_view line, std::string_view word) noexcept {
    if (line.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (upper(line[i]) != word[i]) return false;
    return line.size() == word.size() || line[word.size()] == ' ';
}

bool has_word(std::string_view line, std::string_view word) noexcept {
    for (std::size_t i = 0; i + word.size() <= line.size(); ++i)
        if (first_word_is(line.substr(i, word.size()), word)) return true;
    return false;
}

// The first line of a client that speaks a protocol of lines; none when it is not known to be one.
Kind kind_of_command(std::string_view line) noexcept {
    for (const std::string_view verb : {"EHLO", "HELO", "LHLO"})
        if (first_word_is(line, verb)) return Kind::smtp;
    for (const std::string_view verb : {"CAPA", "STLS", "APOP"})
        if (first_word_is(line, verb)) return Kind::pop3;
    for (const std::string_view verb :
         {"AUTH TLS", "AUTH SSL", "AUTH TLS-C", "FEAT", "SYST", "PBSZ"})
        if (first_word_is(line, verb)) return Kind::ftp;
    for (const std::string_view verb : {"STARTTLS", "USER"})
        if (first_word_is(line, verb)) return Kind::line;
    const std::size_t blank = line.find(' ');
    constexpr std::size_t kTagBytesMax = 32;
    if (blank == 0 || blank == std::string_view::npos || blank > kTagBytesMax) return Kind::none;
    for (const std::string_view verb : {"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID"})
        if (first_word_is(line.substr(blank + 1), verb)) return Kind::imap;
    return Kind::none;
}

// The first line of a server, as far as it tells.
Kind kind_of_greeting(std::string_view line) noexcept {
    if (line.starts_with("* OK") || line.starts_with("* PREAUTH")) return Kind::imap;
    if (line.starts_with("+OK")) return Kind::pop3;
    if (line.starts_with("220 ") || line.starts_with("220-")) {
        if (has_word(line, "SMTP") || has_word(line, "ESMTP") || has_word(line, "LMTP"))
            return Kind::smtp;
        return has_word(line, "FTP") ? Kind::ftp : Kind::line;
    }
    if (line.starts_with("200 ") || line.starts_with("201 ")) return Kind::line;  // NNTP
    return Kind::none;
}

bool is_line_kind(Kind kind) noexcept {
    return kind == Kind::smtp || kind == Kind::imap || kind == Kind::pop3 || kind == Kind::ftp ||
           kind == Kind::line;
}

// The first line without its end. ok; need_more; not_this: not text, or longer than `bytes_max`.
Parse first_line(ByteView bytes, std::size_t bytes_max, std::string_view& line) noexcept {
    const std::size_t bound = bytes.size() < bytes_max ? bytes.size() : bytes_max;
    for (std::size_t i = 0; i < bound; ++i) {
        const std::uint8_t c = bytes[i];
        if (c == '\n') {
            line = as_text(bytes.first(i > 0 && bytes[i - 1] == '\r' ? i - 1 : i));
            return Parse::ok;
        }
        if (c < 0x20 && c != '\t' && c != '\r') return Parse::not_this;
    }
    return bytes.size() < bytes_max ? Parse::need_more : Parse::not_this;
}

Parse begins_with(ByteView bytes, std::string_view mark) noexcept {
    const std::size_t here = bytes.size() < mark.size() ? bytes.size() : mark.size();
    if (!starts_with(bytes, mark.substr(0, here))) return Parse::not_this;
    return here == mark.size() ? Parse::ok : Parse::need_more;
}

// RFC 6120 section 4.2: the stream header, perhaps after an XML declaration.
Parse xmpp_here(ByteView bytes) noexcept {
    const Parse declared = begins_with(bytes, "<?xml");
    return declared == Parse::not_this ? begins_with(bytes, "<stream:stream") : declared;
}

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    constexpr std::string_view kNames[] = {"none",  "proxy", "socks4", "socks5", "smtp",
                                           "imap",  "pop3",  "ftp",    "line",   "postgres",
                                           "mysql", "ldap",  "rdp",    "xmpp"};
    return kNames[static_cast<std::size_t>(kind)];
}

// The step of a preface that is read as a whole.
Preface::Step Preface::whole(Kind kind, Parse parse, std::size_t length) noexcept {
    if (parse != Parse::ok) return {parse, false, 0};
    kind_ = kind;
    return {Parse::ok, true, length};
}

// Lines go by until TLS begins at the start of one. One line a step.
Preface::Step Preface::lines(Direction& direction, ByteView bytes) noexcept {
    const Parse tls = tls_here(bytes);
    if (tls == Parse::ok) return {Parse::ok, true, 0};
    if (tls == Parse::need_more) return {Parse::need_more, false, 0};
    std::string_view line;
    const Parse parse = first_line(bytes, kLineBytesMax, line);
    if (parse == Parse::not_this && bytes.size() >= kLineBytesMax) return {Parse::limit, false, 0};
    if (parse != Parse::ok) return {parse, false, 0};
    if (++direction.lines > kLinesMax) return {Parse::limit, false, 0};
    direction.begun = true;
    const auto* end =
        static_cast<const std::uint8_t*>(std::memchr(bytes.data(), '\n', bytes.size()));
    return {Parse::ok, false, static_cast<std::size_t>(end - bytes.data()) + 1};
}

// Elements go by until TLS begins behind a `>` (RFC 6120 section 5.4.3.3). One element a step.
Preface::Step Preface::elements(Direction& direction, ByteView bytes) noexcept {
    const Parse tls = tls_here(bytes);
    if (tls != Parse::not_this) return {tls, tls == Parse::ok, 0};
    const std::size_t bound = bytes.size() < kLineBytesMax ? bytes.size() : kLineBytesMax;
    for (std::size_t i = 0; i < bound; ++i) {
        if (bytes[i] == '>') {
            if (++direction.lines > kLinesMax) return {Parse::limit, false, 0};
            direction.begun = true;
            kind_ = Kind::xmpp;
            return {Parse::ok, false, i + 1};
        }
        if (bytes[i] == 0) return {Parse::not_this, false, 0};
    }
    return {bound < kLineBytesMax ? Parse::need_more : Parse::limit, false, 0};
}

// Until the server has greeted, only a command we know makes this a protocol of lines.
Preface::Step Preface::client_lines(ByteView bytes) noexcept {
    if (!client_.begun) {
        std::string_view line;
        const Parse parse = first_line(bytes, kFirstLineBytesMax, line);
        if (parse != Parse::ok) return {parse, false, 0};
        const Kind kind = kind_of_command(line);
        if (kind == Kind::none && !is_line_kind(kind_)) return {Parse::not_this, false, 0};
        if (kind_ == Kind::none || (kind_ == Kind::line && kind != Kind::none)) kind_ = kind;
    }
    return lines(client_, bytes);
}

Preface::Step Preface::server_lines(ByteView bytes) noexcept {
    if (!server_.begun) {
        std::string_view line;
        const Parse parse = first_line(bytes, kLineBytesMax, line);
        if (parse != Parse::ok) return {parse, false, 0};
        const Kind kind = kind_of_greeting(line);
        if (kind == Kind::none && !is_line_kind(kind_)) return {Parse::not_this, false, 0};
        if (kind_ == Kind::none || (kind_ == Kind::line && kind != Kind::none)) kind_ = kind;
    }
    return lines(server_, bytes);
}

Preface::Step Preface::client_start(ByteView bytes, ProxyHeader& header) noexcept {
    std::size_t length = 0;
    Parse parse = Parse::not_this;
    switch (bytes[0]) {
        case 0x00:
            parse = postgres_client(bytes, length);
            return whole(Kind::postgres, parse, length);
        case 0x03:
            parse = rdp_client(bytes, length);
            return whole(Kind::rdp, parse, length);
        case 0x04:
            parse = socks4_client(bytes, length);
            return whole(Kind::socks4, parse, length);
        case 0x05:
            parse = socks5_client(bytes, length);
            return whole(Kind::socks5, parse, length);
        case 0x20:
            parse = mysql_client(bytes, length);
            return whole(Kind::mysql, parse, length);
        case 0x30:
            parse = ldap_client(bytes, length);
            if (parse != Parse::not_this) return whole(Kind::ldap, parse, length);
            break;
        case 'P':
        case '\r':
            parse = parse_proxy_header(bytes, header, length);
            if (parse != Parse::not_this) return whole(Kind::proxy, parse, length);
            break;
        case '<':
            parse = xmpp_here(bytes);
            return parse == Parse::ok ? elements(client_, bytes) : Step{parse, false, 0};
        default:
            break;
    }
    return client_lines(bytes);
}

Preface::Step Preface::server_start(ByteView bytes) noexcept {
    std::size_t length = 0;
    Parse parse = Parse::not_this;
    // Weak marks count where the client's side has named the protocol, or TLS follows.
    switch (bytes[0]) {
        case 0x00:
            parse = socks4_server(bytes, length);
            if (parse == Parse::ok && kind_ != Kind::socks4)
                parse = tls_here(bytes.subspan(length));
            return whole(Kind::socks4, parse, length);
        case 0x03:
            parse = rdp_server(bytes, length);
            if (parse != Parse::not_this) return whole(Kind::rdp, parse, length);
            break;
        case 0x05:
            parse = socks5_server(bytes, length);
            return whole(Kind::socks5, parse, length);
        case 0x30:
            parse = ldap_server(bytes, length);
            if (parse != Parse::not_this) return whole(Kind::ldap, parse, length);
            break;
        case 'N':
        case 'S':
            parse = postgres_server(bytes, length);
            if (parse != Parse::not_this) return whole(Kind::postgres, parse, length);
            break;
        case '<':
            parse = xmpp_here(bytes);
            return parse == Parse::ok ? elements(server_, bytes) : Step{parse, false, 0};
        default:
            break;
    }
    parse = mysql_server(bytes, length);
    if (parse != Parse::not_this) return whole(Kind::mysql, parse, length);
    return server_lines(bytes);
}

Preface::Step Preface::feed_client(ByteView bytes, ProxyHeader& header) noexcept {
    if (bytes.empty()) return {Parse::need_more, false, 0};
    if (!client_.begun) return client_start(bytes, header);
    return kind_ == Kind::xmpp ? elements(client_, bytes) : lines(client_, bytes);
}

Preface::Step Preface::feed_server(ByteView bytes) noexcept {
    if (kind_ == Kind::proxy) return {Parse::ok, true, 0};  // it goes one way
    if (bytes.empty()) return {Parse::need_more, false, 0};
    if (!server_.begun) return server_start(bytes);
    return kind_ == Kind::xmpp ? elements(server_, bytes) : lines(server_, bytes);
}

}  // namespace seine::preface
