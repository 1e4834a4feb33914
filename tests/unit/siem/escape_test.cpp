// Every byte value at every place of texts of every length that is copied in another way, against
// what the syntaxes say, and numbers and times against their plain forms.
#include "control/export/escape.h"

#include <gtest/gtest.h>

namespace seine::siem {
namespace {

std::string hex(unsigned char byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    return {kDigits[byte >> 4], kDigits[byte & 15]};
}

struct Syntax {
    const char* name;
    void (*append)(TextBuffer& out, std::string_view text);
    std::string_view marks;   // with a backslash before them
    std::string_view hidden;  // as \xNN
    bool line_ends;           // \n and \r
    bool tabs;                // \t
    std::string_view slash;   // before xNN
};
constexpr Syntax kSyntaxes[] = {
    {"json", append_json_inner, "\"\\", "", true, true, "\\\\"},
    {"cef header", append_cef_header, "|\\", "", false, false, "\\\\"},
    {"cef value", append_cef_value, "=\\", "", true, false, "\\\\"},
    {"leef header", append_leef_header, "", "|", false, false, "\\"},
    {"leef value", append_leef_value, "", "^", true, true, "\\"},
    {"sd value", append_sd_value, "\"\\]", "", false, false, "\\\\"},
    {"plain", append_plain, "", "", false, false, "\\"},
};

// What one byte among letters becomes.
std::string wanted(const Syntax& syntax, unsigned char byte) {
    const char c = static_cast<char>(byte);
    if (syntax.marks.find(c) != std::string_view::npos) return std::string("\\") + c;
    if (syntax.line_ends && c == '\n') return "\\n";
    if (syntax.line_ends && c == '\r') return "\\r";
    if (syntax.tabs && c == '\t') return "\\t";
    const bool control = byte < 0x20 || byte == 0x7f;
    if (control && syntax.append == append_json_inner) return "\\u00" + hex(byte);
    if (control || byte >= 0x80 || syntax.hidden.find(c) != std::string_view::npos)
        return std::string(syntax.slash) + "x" + hex(byte);
    return {c};
}

// Texts are of an own allocation of their very size: reading past it is seen by asan.
std::string escaped(const Syntax& syntax, const std::vector<char>& text) {
    static TextBuffer out;
    out.clear();
    out += "before";
    syntax.append(out, {text.data(), text.size()});
    EXPECT_TRUE(out.view().starts_with("before"));
    return std::string(out.view().substr(6));
}

constexpr std::size_t kLengths[] = {1,  2,  3,  4,  5,  7,  8,  9,  12, 15,
                                    16, 17, 23, 24, 31, 32, 33, 47, 64, 65};

TEST(Escape, EveryByteAtEveryPlace) {
    for (const Syntax& syntax : kSyntaxes) {
        for (const std::size_t length : kLengths) {
            for (std::size_t at = 0; at < length; ++at) {
                for (unsigned byte = 0; byte < 256; ++byte) {
                    std::vector<char> text(length, 'a');
                    text[at] = static_cast<char>(byte);
                    const std::string whole = std::string(at, 'a') +
                                              wanted(syntax, static_cast<unsigned char>(byte)) +
                                              std::string(length - at - 1, 'a');
                    ASSERT_EQ(escaped(syntax, text), whole)
                        << syntax.name << ": byte " << byte << " at " << at << " of " << length;
                }
            }
        }
    }
}

TEST(Escape, TwoBytesAtAnyTwoPlaces) {
    for (const Syntax& syntax : kSyntaxes) {
        for (const std::size_t length : kLengths) {
            for (std::size_t first = 0; first < length; ++first) {
                for (std::size_t second = first + 1; second < length; ++second) {
                    std::vector<char> text(length, '~');
                    text[first] = '\n';
                    text[second] = '\\';
                    const std::string whole = std::string(first, '~') + wanted(syntax, '\n') +
                                              std::string(second - first - 1, '~') +
                                              wanted(syntax, '\\') +
                                              std::string(length - second - 1, '~');
                    ASSERT_EQ(escaped(syntax, text), whole)
                        << syntax.name << ": " << first << " and " << second << " of " << length;
                }
            }
        }
    }
}

TEST(Escape, CharactersBeyondAsciiStay) {
    for (const Syntax& syntax : kSyntaxes) {
        for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
            for (std::size_t before = 0; before < 40; ++before) {
                for (const std::size_t after : {0u, 1u, 3u, 7u, 20u}) {
                    const std::string text =
                        std::string(before, 'x') + character + std::string(after, 'y');
                    EXPECT_EQ(escaped(syntax, {text.begin(), text.end()}), text) << syntax.name;
                }
            }
        }
    }
}

TEST(Numbers, AreThoseOfThePlainForm) {
    std::vector<std::uint64_t> numbers{0, ~std::uint64_t{0}};
    for (std::uint64_t power = 1, i = 0; i < 20; ++i, power *= 10)
        numbers.insert(numbers.end(), {power - 1, power, power + 1, 9 * (power / 10) + 1});
    for (unsigned bit = 0; bit < 64; ++bit)
        numbers.insert(numbers.end(), {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit,
                                       (std::uint64_t{1} << bit) + 1});
    for (const std::uint64_t number : numbers) {
        TextBuffer out;
        append_number(out, number);
        EXPECT_EQ(out.view(), std::to_string(number));
    }
}

TEST(Times, FractionsHaveEveryDigit) {
    constexpr std::int64_t kSecond = 1'782'864'000;
    for (const std::int64_t fraction : {0, 1, 999'999'999, 123'456'789, 100'000'000, 10'203'040}) {
        const std::string nine = std::to_string(1'000'000'000 + fraction).substr(1);
        const std::int64_t at = kSecond * 1'000'000'000 + fraction;
        for (const int digits : {3, 6, 9})
            EXPECT_EQ(time_text(at, digits, "+0000"),
                      "2026-07-01T00:00:00." + nine.substr(0, static_cast<std::size_t>(digits)) +
                          "+0000");
    }
}

}  // namespace
}  // namespace seine::siem
