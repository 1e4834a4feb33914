// Sixteen bytes at a time; a byte at a time from the first one that needs an escape.
#include "control/export/escape.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <immintrin.h>

#include "dataplane/base/bytes.h"

namespace seine::siem {
namespace {

// What a syntax copies as it is: printable ASCII but for its marks.
template <char... Marks>
struct Plain {
    static constexpr bool is(unsigned char byte) noexcept {
        return byte >= 0x20 && byte < 0x7f &&
               ((byte != static_cast<unsigned char>(Marks)) && ... && true);
    }
    // Bit i: byte i of sixteen is not plain. Bytes from 0x80 are negative and so below the blank.
    static unsigned others(__m128i block) noexcept {
        const auto every = [](char byte) { return _mm_set1_epi8(byte); };
        __m128i bad = _mm_cmpgt_epi8(every(0x20), block);
        bad = _mm_or_si128(bad, _mm_cmpeq_epi8(block, every(0x7f)));
        ((bad = _mm_or_si128(bad, _mm_cmpeq_epi8(block, every(Marks)))), ...);
        return static_cast<unsigned>(_mm_movemask_epi8(bad));
    }
    // Copies `bytes` of `text`, and with them up to 15 beyond what was plain; returns how many at
    // its start are plain. A short text is looked at as two parts that overlap, since loads of a
    // size that was not stored, as of a copy, wait.
    static std::size_t copy(char* to, const char* text, std::size_t bytes) noexcept {
        if (bytes >= 16) {
            std::size_t at = 0;
            for (; at + 16 <= bytes; at += 16) {
                if (const unsigned found = copy_block(to + at, text + at); found != 0)
                    return at + first(found);
            }
            if (at == bytes) return bytes;
            at = bytes - 16;
            const unsigned found = copy_block(to + at, text + at);
            return found == 0 ? bytes : at + first(found);
        }
        if (bytes >= 8) return copy_halves<std::uint64_t>(to, text, bytes);
        if (bytes >= 4) return copy_halves<std::uint32_t>(to, text, bytes);
        for (std::size_t at = 0; at < bytes; ++at) {
            if (!is(static_cast<unsigned char>(text[at]))) return at;
            to[at] = text[at];
        }
        return bytes;
    }

  private:
    static std::size_t first(unsigned found) noexcept {
        return static_cast<std::size_t>(std::countr_zero(found));
    }
    static unsigned copy_block(char* to, const char* text) noexcept {
        // Only unaligned loads and stores.
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));  // NOLINT
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);                        // NOLINT
        return others(block);
    }
    // Of a text of one to two Half.
    template <typename Half>
    static std::size_t copy_halves(char* to, const char* text, std::size_t bytes) noexcept {
        constexpr std::size_t kHalf = sizeof(Half);
        Half head;
        Half tail;
        std::memcpy(&head, text, kHalf);
        std::memcpy(&tail, text + bytes - kHalf, kHalf);
        std::memcpy(to, &head, kHalf);
        std::memcpy(to + bytes - kHalf, &tail, kHalf);
        const __m128i both = _mm_unpacklo_epi64(_mm_cvtsi64_si128(static_cast<std::int64_t>(head)),
                                                _mm_cvtsi64_si128(static_cast<std::int64_t>(tail)));
        const unsigned found = others(both);
        if (const unsigned in_head = found & ((1u << kHalf) - 1); in_head != 0)
            return first(in_head);
        if (const unsigned in_tail = found >> 8 & ((1u << kHalf) - 1); in_tail != 0)
            return bytes - kHalf + first(in_tail);
        return bytes;
    }
};
using Json = Plain<'"', '\\'>;
using CefHeader = Plain<'|', '\\'>;
using CefValue = Plain<'=', '\\'>;
using LeefHeader = Plain<'|'>;
using LeefValue = Plain<'^'>;
using SdValue = Plain<'"', '\\', ']'>;
using Free = Plain<>;

constexpr auto kPairs = [] {
    std::array<char, 200> out{};
    for (std::size_t i = 0; i < 100; ++i) {
        out[2 * i] = static_cast<char>('0' + i / 10);
        out[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return out;
}();
// Of less than 100.
void put_two(char* at, unsigned value) noexcept { std::memcpy(at, kPairs.data() + 2 * value, 2); }

constexpr auto kPowersOfTen = [] {
    std::array<std::uint64_t, 20> out{};
    for (std::uint64_t i = 0, power = 1; i < out.size(); ++i, power *= 10) out[i] = power;
    return out;
}();
std::size_t digits_of(std::uint64_t value) noexcept {
    // log10(2) is 1233 / 4096 and a little; too small by one at most.
    const auto least = static_cast<std::size_t>(std::bit_width(value | 1)) * 1233 >> 12;
    return least + (least < kPowersOfTen.size() && value >= kPowersOfTen[least] ? 1 : 0) +
           (value == 0 ? 1 : 0);
}

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

void append_hex_escape(TextBuffer& out, std::string_view slash, unsigned char byte) {
    out.append(slash).push_back('x');
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
}

// The rest of a text from its first byte that is not plain.
template <typename Syntax, typename Special>
[[gnu::noinline]] void escape_rest(TextBuffer& out, std::string_view text, std::string_view slash,
                                   Special special) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t start = at;
        while (at < text.size() && Syntax::is(static_cast<unsigned char>(text[at]))) ++at;
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

// Nearly every text is plain and copied while it is looked at. `special(out, byte)` writes ASCII
// that is not plain, `slash` is how the syntax writes one backslash.
template <typename Syntax, typename Special>
void escape(TextBuffer& out, std::string_view text, std::string_view slash, Special special) {
    const std::size_t plain = Syntax::copy(out.room(text.size()), text.data(), text.size());
    out.advance(plain);
    if (plain < text.size()) escape_rest<Syntax>(out, text.substr(plain), slash, special);
}

bool json_special(TextBuffer& out, unsigned char byte) {
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

}  // namespace

void append_json_inner(TextBuffer& out, std::string_view text) {
    escape<Json>(out, text, "\\\\", json_special);
}

void append_json_string(TextBuffer& out, std::string_view text) {
    out.push_back('"');
    append_json_inner(out, text);
    out.push_back('"');
}

void append_cef_header(TextBuffer& out, std::string_view text) {
    escape<CefHeader>(out, text, "\\\\", [](TextBuffer& to, unsigned char byte) {
        if (byte != '|' && byte != '\\') return false;
        to.push_back('\\');
        to.push_back(static_cast<char>(byte));
        return true;
    });
}

void append_cef_value(TextBuffer& out, std::string_view text) {
    escape<CefValue>(out, text, "\\\\", [](TextBuffer& to, unsigned char byte) {
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

void append_leef_header(TextBuffer& out, std::string_view text) {
    escape<LeefHeader>(out, text, "\\", [](TextBuffer&, unsigned char) { return false; });
}

void append_leef_value(TextBuffer& out, std::string_view text) {
    escape<LeefValue>(out, text, "\\", [](TextBuffer& to, unsigned char byte) {
        if (byte == '\t') return to += "\\t", true;
        if (byte == '\n') return to += "\\n", true;
        if (byte == '\r') return to += "\\r", true;
        return false;
    });
}

void append_sd_value(TextBuffer& out, std::string_view text) {
    escape<SdValue>(out, text, "\\\\", [](TextBuffer& to, unsigned char byte) {
        if (byte != '"' && byte != '\\' && byte != ']') return false;
        to.push_back('\\');
        to.push_back(static_cast<char>(byte));
        return true;
    });
}

void append_plain(TextBuffer& out, std::string_view text) {
    escape<Free>(out, text, "\\", [](TextBuffer&, unsigned char) { return false; });
}

std::string plain_text(std::string_view text) {
    TextBuffer out;
    append_plain(out, text);
    return std::string(out.view());
}

void append_syslog_token(TextBuffer& out, std::string_view text, std::size_t bytes_max) {
    std::size_t used = 0;
    for (const char c : text) {
        if (used == bytes_max) break;
        if (c <= 0x20 || c >= 0x7f) continue;
        out.push_back(c);
        ++used;
    }
    if (used == 0) out.push_back('-');
}

void append_number(TextBuffer& out, std::uint64_t value) {
    const std::size_t digits = digits_of(value);
    char* to = out.room(digits);
    out.advance(digits);
    std::size_t at = digits;
    for (; at > 2; value /= 100) put_two(to + (at -= 2), static_cast<unsigned>(value % 100));
    if (at == 2) {
        put_two(to, static_cast<unsigned>(value));
    } else {
        *to = static_cast<char>('0' + value);
    }
}

void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_real(TextBuffer& out, double value) {
    if (!std::isfinite(value)) value = 0;
    char* to = out.room(64);
    const double scaled = std::abs(value) < 1e12 ? std::round(value * 1e6) / 1e6 : value;
    const auto done = std::to_chars(to, to + 64, scaled == 0 ? 0.0 : scaled);
    out.advance(static_cast<std::size_t>(done.ptr - to));
}

namespace {

constexpr std::size_t kSecondBytes = 19;

// 2026-07-01T12:00:00 of a number of seconds.
void put_second(char* at, std::int64_t seconds) noexcept {
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
    std::memcpy(at, "0000-00-00T00:00:00", kSecondBytes);
    put_two(at, static_cast<unsigned>(year / 100 % 100));
    put_two(at + 2, static_cast<unsigned>(year % 100));
    put_two(at + 5, month);
    put_two(at + 8, day);
    put_two(at + 11, second / 3600);
    put_two(at + 14, second / 60 % 60);
    put_two(at + 17, second % 60);
}

// Events come many to a second: the text of the last one is kept.
struct LastSecond {
    std::int64_t seconds = -1;
    char text[kSecondBytes] = {};
};
constinit thread_local LastSecond last_second;

}  // namespace

void append_time(TextBuffer& out, std::int64_t ns, int digits, std::string_view zone) {
    if (ns < 0) ns = 0;
    LastSecond& last = last_second;
    const std::int64_t seconds = ns / 1'000'000'000;
    if (seconds != last.seconds) {
        put_second(last.text, seconds);
        last.seconds = seconds;
    }
    const auto kept = static_cast<std::size_t>(digits);
    char* to = out.room(kSecondBytes + 10 + zone.size());
    std::memcpy(to, last.text, kSecondBytes);
    to[kSecondBytes] = '.';
    const auto rest = static_cast<std::uint32_t>(ns % 1'000'000'000);
    char* fraction = to + kSecondBytes + 1;
    fraction[0] = static_cast<char>('0' + rest / 100'000'000);
    put_two(fraction + 1, rest / 1'000'000 % 100);
    put_two(fraction + 3, rest / 10'000 % 100);
    put_two(fraction + 5, rest / 100 % 100);
    put_two(fraction + 7, rest % 100);
    std::copy(zone.begin(), zone.end(), fraction + kept);
    out.advance(kSecondBytes + 1 + kept + zone.size());
}

std::string time_text(std::int64_t ns, int digits, std::string_view zone) {
    TextBuffer out;
    append_time(out, ns, digits, zone);
    return std::string(out.view());
}

}  // namespace seine::siem
