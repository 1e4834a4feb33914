// Request and response heads of HTTP/1.x, and the rule that measures what follows them.
#include "dataplane/http/http1.h"

#include <array>
#include <charconv>

#include "dataplane/http/text_scan.h"

namespace seine::http {
namespace {

constexpr std::size_t kEmptyLinesMax = 8;  // before a first line

constexpr bool is_letter(std::uint8_t c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(std::uint8_t c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_blank(std::uint8_t c) noexcept { return c == ' ' || c == '\t'; }

// What may stand in a field name here: anything visible but the colon. The token rule of RFC 9110
// is narrower; a sensor reports what was sent.
constexpr std::array<bool, 256> make_name_table() noexcept {
    std::array<bool, 256> table{};
    for (unsigned c = 0x21; c < 256; ++c) table[c] = c != ':' && c != 0x7f;
    return table;
}
constexpr std::array<bool, 256> kNameByte = make_name_table();

std::string_view text_between(const std::uint8_t* from, const std::uint8_t* to) noexcept {
    return as_text({from, static_cast<std::size_t>(to - from)});
}

// One line found by next_line: [at, stop) without its end; `next` is where the following line
// begins.
struct Line {
    const std::uint8_t* stop = nullptr;
    const std::uint8_t* next = nullptr;
    bool bare_lf = false;
};

// ok; need_more: no line end in sight; malformed: a NUL. Other control characters, a CR in the
// middle included, are left for the reader of the value.
Parse next_line(const std::uint8_t* at, const std::uint8_t* end, Line& line) noexcept {
    for (const std::uint8_t* c = at;; ++c) {
        c = find_control(c, end);
        if (c == end) return Parse::need_more;
        if (*c == '\n') {
            line = {c, c + 1, true};
            return Parse::ok;
        }
        if (*c == '\r') {
            if (c + 1 == end) return Parse::need_more;
            if (c[1] == '\n') {
                line = {c, c + 2, false};
                return Parse::ok;
            }
        }
        if (*c == 0) return Parse::malformed;
    }
}

const std::uint8_t* skip_empty_lines(const std::uint8_t* at, const std::uint8_t* end) noexcept {
    const auto left = static_cast<std::size_t>(end - at);
    const std::uint8_t* bound = at + (left < 2 * kEmptyLinesMax ? left : 2 * kEmptyLinesMax);
    while (at != bound && (*at == '\r' || *at == '\n')) ++at;
    return at;
}

// `HTTP/d.d` at the front of `text`.
bool read_version(std::string_view text, Version& out) noexcept {
    if (text.size() < 8 || !text.starts_with("HTTP/") || text[6] != '.') return false;
    const auto major = static_cast<std::uint8_t>(text[5]);
    const auto minor = static_cast<std::uint8_t>(text[7]);
    if (!is_digit(major) || !is_digit(minor)) return false;
    out = {static_cast<std::uint8_t>(major - '0'), static_cast<std::uint8_t>(minor - '0')};
    return true;
}

struct RequestLine {
    std::string_view method;
    std::string_view target;
    Version version;
};

// METHOD 1*SP TARGET 1*SP HTTP/1.d *SP. The target may hold blanks: some clients do not encode
// them.
bool split_request_line(std::string_view line, RequestLine& out) noexcept {
    while (!line.empty() && is_blank(static_cast<std::uint8_t>(line.back()))) line.remove_suffix(1);
    constexpr std::size_t kVersionBytes = 8;
    if (line.size() < kVersionBytes + 4) return false;
    if (!read_version(line.substr(line.size() - kVersionBytes), out.version)) return false;
    line.remove_suffix(kVersionBytes);
    if (!is_blank(static_cast<std::uint8_t>(line.back()))) return false;
    while (!line.empty() && is_blank(static_cast<std::uint8_t>(line.back()))) line.remove_suffix(1);
    const std::size_t blank = line.find_first_of(" \t");
    if (blank == std::string_view::npos || blank == 0) return false;
    out.method = line.substr(0, blank);
    line.remove_prefix(blank);
    while (!line.empty() && is_blank(static_cast<std::uint8_t>(line.front())))
        line.remove_prefix(1);
    out.target = line;
    return !line.empty() && out.version.major == 1;
}

// The method token and the blank behind it.
Parse method_here(const std::uint8_t* at, const std::uint8_t* end) noexcept {
    const auto left = static_cast<std::size_t>(end - at);
    if (left == 0) return Parse::need_more;
    if (!is_letter(at[0])) return Parse::not_this;
    std::size_t length = 1;
    while (length < left && (is_letter(at[length]) || at[length] == '-' || at[length] == '_')) {
        if (++length > kMethodBytesMax) return Parse::not_this;
    }
    if (length == left) return Parse::need_more;
    if (at[length] != ' ') return Parse::not_this;
    if (length + 1 == left) return Parse::need_more;
    return at[length + 1] >= 0x20 ? Parse::ok : Parse::not_this;
}

// Line breaks stay: a field that is folded and decides where the message ends is a conflict, since
// one recipient joins the lines and the next does not.
std::string_view without_blanks(std::string_view text) noexcept {
    while (!text.empty() && is_blank(static_cast<std::uint8_t>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(static_cast<std::uint8_t>(text.back()))) text.remove_suffix(1);
    return text;
}

// What the framing fields of one head said so far.
struct Framing {
    Body body;
    bool chunked_last = false;
    bool coded = false;  // Transfer-Encoding was there
    bool sized = false;  // Content-Length was there
};

// A list of equal numbers is one number (RFC 9110 section 8.6); anything else is a conflict.
void note_length(std::string_view value, Framing& framing) noexcept {
    while (true) {
        const std::size_t comma = value.find(',');
        const std::string_view digits = without_blanks(value.substr(0, comma));
        std::uint64_t number = 0;
        const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (done.ec != std::errc() || done.ptr != digits.data() + digits.size() ||
            digits[0] == '-') {
            framing.body.conflict = true;
            return;
        }
        if (framing.sized && framing.body.length != number) framing.body.conflict = true;
        if (!framing.sized) framing.body.length = number;
        framing.sized = true;
        if (comma == std::string_view::npos) return;
        value.remove_prefix(comma + 1);
    }
}

void note_coding(std::string_view value, Framing& framing) noexcept {
    framing.coded = true;
    const std::size_t comma = value.rfind(',');
    if (comma != std::string_view::npos) value.remove_prefix(comma + 1);
    framing.chunked_last = equals_lower(without_blanks(value), "chunked");
}

Upgrade upgrade_of(std::string_view value) noexcept {
    value = without_blanks(value.substr(0, value.find(',')));
    if (equals_lower(value, "h2c")) return Upgrade::h2c;
    if (equals_lower(value, "websocket")) return Upgrade::websocket;
    return Upgrade::other;
}

// Fields that decide where the message ends and what the connection becomes; told by length first.
void note_field(const HeaderField& field, Framing& framing, Upgrade& upgrade,
                bool& continues) noexcept {
    switch (field.name.size()) {
        case 6:
            if (equals_lower(field.name, "expect"))
                continues = continues || equals_lower(without_blanks(field.value), "100-continue");
            break;
        case 7:
            if (equals_lower(field.name, "upgrade")) upgrade = upgrade_of(field.value);
            break;
        case 14:
            if (equals_lower(field.name, "content-length")) note_length(field.value, framing);
            break;
        case 17:
            if (equals_lower(field.name, "transfer-encoding")) note_coding(field.value, framing);
            break;
        default:
            break;
    }
}

// `otherwise` is the body of a message that names neither length nor coding.
Body settle(const Framing& framing, BodyKind otherwise) noexcept {
    Body body = framing.body;
    if (framing.coded) {
        body.conflict = body.conflict || framing.sized || !framing.chunked_last;
        body.kind = framing.chunked_last ? BodyKind::chunked : otherwise;
        body.length = 0;
    } else if (framing.sized) {
        body.kind = body.length > 0 ? BodyKind::length : BodyKind::none;
    } else {
        body.kind = body.conflict ? BodyKind::none : otherwise;
    }
    return body;
}

struct Flags {
    Framing framing;
    Upgrade upgrade = Upgrade::none;
    bool continues = false;
    bool folded = false;
    bool bare_lf = false;
    bool odd_line = false;
};

// Header lines from `at` to the blank line, which `after` then follows.
Parse read_fields(const std::uint8_t* at, const std::uint8_t* end, HeaderList& fields, Flags& flags,
                  const std::uint8_t*& after) noexcept {
    const auto note_last = [&] {
        if (!fields.empty())
            note_field(fields.back(), flags.framing, flags.upgrade, flags.continues);
    };
    while (true) {
        Line line;
        if (const Parse parse = next_line(at, end, line); parse != Parse::ok) return parse;
        flags.bare_lf = flags.bare_lf || line.bare_lf;
        if (line.stop == at) {
            note_last();
            after = line.next;
            return Parse::ok;
        }
        const std::uint8_t* stop = line.stop;
        while (stop != at && is_blank(stop[-1])) --stop;
        if (is_blank(
                *at)) {  // obsolete folding (RFC 9112 section 5.2): the view grows over the break
            flags.folded = true;
            flags.odd_line = flags.odd_line || fields.empty();
            if (!fields.empty() && stop != at) {
                std::string_view& value = fields.back().value;
                value = {value.data(),
                         static_cast<std::size_t>(as_text({stop, 0}).data() - value.data())};
            }
            at = line.next;
            continue;
        }
        note_last();  // it is whole now
        const std::uint8_t* colon = at;
        while (colon != stop && kNameByte[*colon]) ++colon;
        const std::uint8_t* name_end = colon;
        while (colon != stop && is_blank(*colon)) ++colon;
        if (colon == line.stop || *colon != ':' ||
            name_end == at) {  // recipients pass over such lines
            flags.odd_line = true;
            at = line.next;
            continue;
        }
        const std::uint8_t* value = colon + 1;
        while (value < stop && is_blank(*value)) ++value;
        if (value > stop) value = stop;
        if (!fields.push(text_between(at, name_end), text_between(value, stop)))
            return Parse::limit;
        at = line.next;
    }
}

Parse bounded(Parse parse, std::size_t bytes) noexcept {
    return parse == Parse::need_more && bytes >= kHeadBytesMax ? Parse::limit : parse;
}

}  // namespace

Parse looks_like_http1_request(ByteView bytes) noexcept {
    const std::uint8_t* end = bytes.data() + bytes.size();
    const std::uint8_t* at = skip_empty_lines(bytes.data(), end);
    if (const Parse parse = method_here(at, end); parse != Parse::ok) return parse;
    const std::uint8_t* stop = at;
    while (true) {
        stop = find_control(stop, end);
        if (stop == end) {
            const auto seen = static_cast<std::size_t>(end - at);
            return seen > kRequestLineBytesMax ? Parse::not_this : Parse::need_more;
        }
        if (*stop != '\t') break;
        ++stop;
    }
    if (*stop != '\r' && *stop != '\n') return Parse::not_this;
    RequestLine line;
    return split_request_line(text_between(at, stop), line) ? Parse::ok : Parse::not_this;
}

Parse looks_like_http1_response(ByteView bytes) noexcept {
    const std::uint8_t* end = bytes.data() + bytes.size();
    const std::uint8_t* at = skip_empty_lines(bytes.data(), end);
    // `#` stands for a digit.
    constexpr std::string_view kShape = "HTTP/1.# ###";
    const std::string_view text = text_between(at, end).substr(0, kShape.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<std::uint8_t>(text[i]);
        if (kShape[i] == '#' ? !is_digit(c) : text[i] != kShape[i]) return Parse::not_this;
    }
    return text.size() == kShape.size() ? Parse::ok : Parse::need_more;
}

Parse parse_request(ByteView bytes, Request& out) noexcept {
    out.clear();
    const std::uint8_t* end = bytes.data() + bytes.size();
    const std::uint8_t* at = skip_empty_lines(bytes.data(), end);
    if (const Parse parse = method_here(at, end); parse != Parse::ok) return parse;
    Line line;
    Parse parse = next_line(at, end, line);
    if (parse == Parse::malformed) return Parse::not_this;
    if (parse != Parse::ok) return bounded(parse, bytes.size());
    RequestLine first;
    if (!split_request_line(text_between(at, line.stop), first)) return Parse::not_this;
    out.method = first.method;
    out.target = first.target;
    out.version = first.version;
    Flags flags;
    flags.bare_lf = line.bare_lf;
    const std::uint8_t* after = nullptr;
    parse = read_fields(line.next, end, out.headers, flags, after);
    if (parse != Parse::ok) return bounded(parse, bytes.size());
    out.head_bytes = static_cast<std::size_t>(after - bytes.data());
    if (out.head_bytes > kHeadBytesMax) return Parse::limit;
    out.body = settle(flags.framing, BodyKind::none);
    out.upgrade = flags.upgrade;
    out.expects_continue = flags.continues;
    out.folded = flags.folded;
    out.bare_lf = flags.bare_lf;
    out.odd_line = flags.odd_line;
    return Parse::ok;
}

Parse parse_response(ByteView bytes, Response& out) noexcept {
    out.clear();
    const Parse shape = looks_like_http1_response(bytes);
    if (shape != Parse::ok) return shape;
    const std::uint8_t* end = bytes.data() + bytes.size();
    const std::uint8_t* at = skip_empty_lines(bytes.data(), end);
    Line line;
    Parse parse = next_line(at, end, line);
    if (parse != Parse::ok) return bounded(parse, bytes.size());
    const std::string_view first = text_between(at, line.stop);
    static_cast<void>(read_version(first, out.version));  // its shape is proven
    for (std::size_t i = 9; i < 12; ++i)
        out.status = static_cast<std::uint16_t>(out.status * 10 + (first[i] - '0'));
    if (first.size() > 13) out.reason = first.substr(13);
    Flags flags;
    flags.bare_lf = line.bare_lf;
    const std::uint8_t* after = nullptr;
    parse = read_fields(line.next, end, out.headers, flags, after);
    if (parse != Parse::ok) return bounded(parse, bytes.size());
    out.head_bytes = static_cast<std::size_t>(after - bytes.data());
    if (out.head_bytes > kHeadBytesMax) return Parse::limit;
    out.body = settle(flags.framing, BodyKind::until_close);
    out.upgrade = flags.upgrade;
    out.folded = flags.folded;
    out.bare_lf = flags.bare_lf;
    out.odd_line = flags.odd_line;
    return Parse::ok;
}

RequestKind kind_of_method(std::string_view method) noexcept {
    if (method == "HEAD") return RequestKind::head;
    if (method == "CONNECT") return RequestKind::connect;
    return RequestKind::other;
}

Body body_of_response(const Response& response, RequestKind answers) noexcept {
    const bool success = response.status >= 200 && response.status < 300;
    const bool empty = answers == RequestKind::head || response.status < 200 ||
                       response.status == 204 || response.status == 304 ||
                       (answers == RequestKind::connect && success);
    return empty ? Body{BodyKind::none, response.body.conflict, 0} : response.body;
}

}  // namespace seine::http
