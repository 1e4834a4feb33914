// One walk over the bytes, a table of what each syntax must not see bare.
#include "control/export/escape.h"

#include <array>
#include <charconv>
#include <cmath>

#include "dataplane/base/bytes.h"

namespace seine::siem {
namespace {

// Bytes that are copied as they are: printable ASCII but for the marks of a syntax.
struct Plain {
    std::array<bool, 256> is{};
    explicit constexpr Plain(std::string_view marks) {
        for (std::size_t i = 0x20; i < 0x7f; ++i) is[i] = true;
        for (const char c : marks) is[static_cast<unsigned char>(c)] = false;
    }
};
constexpr Plain kJson("\"\\");
constexpr Plain kCefHeader("|\\");
constexpr Plain kCefValue("=\\");
constexpr Plain kLeefHeader("|");
constexpr Plain kLeefValue("^");
constexpr Plain kSdValue("\"\\]");
constexpr Plain kFree("");

// Bytes of the UTF-8 character that starts at `text` (RFC 3629); 0: not one.
std::size_t character(std::string_view text) noexcept {
    const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
    const unsigned char lead = at(0);
    if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!follows(1) || !follows(2)) return 0;
        if (lead == 0xe0 && at(1) < 0xa0) return 0;
        if (lead == 0xed && at(1) > 0x9f) return 0;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!follows(1) || !follows(2) || !follows(3)) return 0;
        if (lead == 0xf0 && at(1) < 0x90) return 0;
        if (lead == 0xf4 && at(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

// U+0080 to U+009F: control characters that terminals and some readers obey.
bool is_c1(std::string_view text, std::size_t bytes) noexcept {
    return bytes == 2 && static_cast<unsigned char>(text[0]) == 0xc2 &&
           static_cast<unsigned char>(text[1]) < 0xa0;
}

void append_hex_escape(std::string& out, std::string_view slash, unsigned char byte) {
    out.append(slash).push_back('x');
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
}

// Copies plain runs, asks `special(out, byte)` for ASCII that is not plain, and `slash` is how the
// syntax writes one backslash.
template <typename Special>
void escape(std::string& out, std::string_view text, const Plain& plain, std::string_view slash,
            Special special) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t start = at;
        while (at < text.size() && plain.is[static_cast<unsigned char>(text[at])]) ++at;
        out.append(text.substr(start, at - start));
        if (at == text.size()) return;
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x80) {
            if (!special(out, byte)) append_hex_escape(out, slash, byte);
            ++at;
            continue;
        }
        const std::size_t bytes = character(text.substr(at));
        if (bytes == 0 || is_c1(text.substr(at), bytes)) {
            const std::size_t count = bytes == 0 ? 1 : bytes;
            for (std::size_t i = 0; i < count; ++i)
                append_hex_escape(out, slash, static_cast<unsigned char>(text[at + i]));
            at += count;
        } else {
            out.append(text.substr(at, bytes));
            at += bytes;
        }
    }
}

bool json_special(std::string& out, unsigned char byte) {
    switch (byte) {
        case '"':
            out += "\\\"";
            return true;
        case '\\':
            out += "\\\\";
            return true;
        case '\n':
            out += "\\n";
            return true;
        case '\r':
            out += "\\r";
            return true;
        case '\t':
            out += "\\t";
            return true;
        default:
            out += "\\u00";
            out.push_back(kHexDigits[byte >> 4]);
            out.push_back(kHexDigits[byte & 15]);
            return true;
    }
}

// Two digits of `value`, which is below 100.
void append_two(std::string& out, unsigned value) {
    out.push_back(static_cast<char>('0' + value / 10 % 10));
    out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

void append_json_inner(std::string& out, std::string_view text) {
    escape(out, text, kJson, "\\\\", json_special);
}

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    append_json_inner(out, text);
    out.push_back('"');
}

void append_cef_header(std::string& out, std::string_view text) {
    escape(out, text, kCefHeader, "\\\\", [](std::string& to, unsigned char byte) {
        if (byte != '|' && byte != '\\') return false;
        to.push_back('\\');
        to.push_back(static_cast<char>(byte));
        return true;
    });
}

void append_cef_value(std::string& out, std::string_view text) {
    escape(out, text, kCefValue, "\\\\", [](std::string& to, unsigned char byte) {
        if (byte == '\n' || byte == '\r') {
            to += byte == '\n' ? "\\n" : "\\r";
            return true;
        }
        if (byte != '=' && byte != '\\') return false;
        to.push_back('\\');
        to.push_back(static_cast<char>(byte));
        return true;
    });
}

void append_leef_header(std::string& out, std::string_view text) {
    escape(out, text, kLeefHeader, "\\", [](std::string&, unsigned char) { return false; });
}

void append_leef_value(std::string& out, std::string_view text) {
    escape(out, text, kLeefValue, "\\", [](std::string& to, unsigned char byte) {
        if (byte == '\t') return to += "\\t", true;
        if (byte == '\n') return to += "\\n", true;
        if (byte == '\r') return to += "\\r", true;
        return false;
    });
}

void append_sd_value(std::string& out, std::string_view text) {
    escape(out, text, kSdValue, "\\\\", [](std::string& to, unsigned char byte) {
        if (byte != '"' && byte != '\\' && byte != ']') return false;
        to.push_back('\\');
        to.push_back(static_cast<char>(byte));
        return true;
    });
}

void append_plain(std::string& out, std::string_view text) {
    escape(out, text, kFree, "\\", [](std::string&, unsigned char) { return false; });
}

void append_syslog_token(std::string& out, std::string_view text, std::size_t bytes_max) {
    std::size_t used = 0;
    for (const char c : text) {
        if (used == bytes_max) break;
        if (c <= 0x20 || c >= 0x7f) continue;
        out.push_back(c);
        ++used;
    }
    if (used == 0) out.push_back('-');
}

void append_number(std::string& out, std::uint64_t value) {
    char digits[24];
    const auto done = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(done.ptr - digits));
}

void append_real(std::string& out, double value) {
    if (!std::isfinite(value)) value = 0;
    char digits[64];
    const double scaled = std::abs(value) < 1e12 ? std::round(value * 1e6) / 1e6 : value;
    const auto done = std::to_chars(digits, digits + sizeof digits, scaled == 0 ? 0.0 : scaled);
    out.append(digits, static_cast<std::size_t>(done.ptr - digits));
}

// 2026-07-01T12:00:00 of a number of seconds.
static void append_second(std::string& out, std::int64_t seconds) {
    const std::int64_t days = seconds / 86400;
    const auto second = static_cast<unsigned>(seconds % 86400);
    // Days to a date: an era is 400 years that begin on 1 March (H. Hinnant, "chrono-compatible
    // low-level date algorithms").
    const std::int64_t z = days + 719468;
    const std::int64_t era = z / 146097;
    const auto day_of_era = static_cast<unsigned>(z - era * 146097);
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * shifted + 2) / 5 + 1;
    const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
    const std::int64_t year =
        static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
    append_two(out, static_cast<unsigned>(year / 100));
    append_two(out, static_cast<unsigned>(year % 100));
    out.push_back('-');
    append_two(out, month);
    out.push_back('-');
    append_two(out, day);
    out.push_back('T');
    append_two(out, second / 3600);
    out.push_back(':');
    append_two(out, second / 60 % 60);
    out.push_back(':');
    append_two(out, second % 60);
}

void append_time(std::string& out, std::int64_t ns, int digits, std::string_view zone) {
    if (ns < 0) ns = 0;
    // Events come many to a second: the text of the last one is kept.
    struct Last {
        std::int64_t seconds = -1;
        std::string text;
    };
    thread_local Last last;
    const std::int64_t seconds = ns / 1'000'000'000;
    if (seconds != last.seconds) {
        last.text.clear();
        append_second(last.text, seconds);
        last.seconds = seconds;
    }
    out += last.text;
    out.push_back('.');
    char fraction[9];
    auto rest = static_cast<std::uint32_t>(ns % 1'000'000'000);
    for (int i = 8; i >= 0; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
    out.append(fraction, static_cast<std::size_t>(digits));
    out.append(zone);
}

}  // namespace seine::siem
