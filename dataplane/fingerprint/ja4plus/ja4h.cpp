// JA4H: method, version, flags and language in clear; header names and cookies as lists.
#include "dataplane/fingerprint/ja4plus/ja4h.h"

#include <algorithm>

#include "dataplane/base/fixed_vector.h"
#include "dataplane/fingerprint/joined_list.h"

namespace seine::fingerprint {
namespace {

constexpr std::size_t kLanguageChars = 4;
constexpr std::size_t kCountMax = 99;

using NameList = JoinedList<http::HeaderList::kFieldsMax>;
using CookieList = JoinedList<kJa4hCookiesMax>;

struct Cookie {
    std::string_view name;
    std::string_view pair;  // as sent, blanks at both ends off
};
using Cookies = FixedVector<Cookie, kJa4hCookiesMax>;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_cookie(const http::HeaderField& field) noexcept {
    return field.name.size() == 6 && http::equals_lower(field.name, "cookie");
}
bool is_referer(const http::HeaderField& field) noexcept {
    return field.name.size() == 7 && http::equals_lower(field.name, "referer");
}
bool is_pseudo(const http::HeaderField& field) noexcept {
    return !field.name.empty() && field.name.front() == ':';
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// All Cookie fields form one list (HTTP/2 sends crumbs). False past the cap.
bool collect_cookies(const http::Request& request, Cookies& out) noexcept {
    for (const http::HeaderField& field : request.headers) {
        if (!is_cookie(field)) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::size_t end = rest.find(';');
            const std::string_view pair = trimmed(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
            if (pair.empty()) continue;
            if (!out.push({pair.substr(0, pair.find('=')), pair})) return false;
        }
    }
    return true;
}

void sort_cookies(Cookies& cookies) noexcept {
    std::sort(cookies.begin(), cookies.end(), [](const Cookie& left, const Cookie& right) {
        if (left.name != right.name) return left.name < right.name;
        return left.pair < right.pair;  // same name, so this compares the values
    });
}

template <std::size_t Cap>
void append_language(std::string_view value, FixedString<Cap>& out) noexcept {
    value = value.substr(0, value.find_first_of(",;"));
    std::size_t count = 0;
    for (const char c : value) {
        if (c == '-' || count == kLanguageChars) continue;
        out.push(lower(c));
        ++count;
    }
    for (; count < kLanguageChars; ++count) out.push('0');
}

// The first part; `names` gets the list of the second. False for a method without two letters.
template <std::size_t Cap>
bool append_a(const http::Request& request, NameList& names, FixedString<Cap>& out) noexcept {
    // The first two letters: M-SEARCH gives `ms`, as the references print it.
    char letters[2];
    std::size_t letter_count = 0;
    for (const char c : request.method) {
        const char folded = lower(c);
        if (letter_count < 2 && folded >= 'a' && folded <= 'z') letters[letter_count++] = folded;
    }
    if (letter_count < 2) return false;
    bool cookie = false;
    bool referer = false;
    std::size_t count = 0;
    for (const http::HeaderField& field : request.headers) {
        if (is_pseudo(field)) continue;
        if (is_cookie(field)) {
            cookie = true;
        } else if (is_referer(field)) {
            referer = true;
        } else {
            static_cast<void>(names.push(field.name));  // as large as the header list
            ++count;
        }
    }
    if (count > kCountMax) count = kCountMax;
    out.append({letters, 2});
    out.append_decimal(request.version.major);
    out.append_decimal(request.version.minor);
    out.push(cookie ? 'c' : 'n');
    out.push(referer ? 'r' : 'n');
    if (count < 10) out.push('0');
    out.append_decimal(count);
    append_language(request.headers.value_of("accept-language"), out);
    return true;
}

enum class Part : std::uint8_t { name, pair };

CookieList list_of(const Cookies& cookies, Part part) noexcept {
    CookieList list;
    for (const Cookie& cookie : cookies)
        static_cast<void>(list.push(part == Part::name ? cookie.name : cookie.pair));  // same cap
    return list;
}

}  // namespace

bool ja4h(const http::Request& request, crypto::Digester& digester,
          FixedString<kJa4hBytesMax>& out) noexcept {
    out.clear();
    Cookies cookies;
    if (!collect_cookies(request, cookies)) return false;
    {
        NameList names;
        if (!append_a(request, names, out)) return false;
        out.push('_');
        names.append_known_h12(digester, out);
    }
    sort_cookies(cookies);
    for (const Part part : {Part::name, Part::pair}) {
        out.push('_');
        const CookieList list = list_of(cookies, part);
        part == Part::name ? list.append_known_h12(digester, out) : list.append_h12(digester, out);
    }
    return true;
}

bool ja4h_raw(const http::Request& request, CookieOrder order,
              FixedString<kJa4hRawBytesMax>& out) noexcept {
    out.clear();
    Cookies cookies;
    if (!collect_cookies(request, cookies)) return false;
    {
        NameList names;
        if (!append_a(request, names, out)) return false;
        out.push('_');
        names.append_text(out);
    }
    if (order == CookieOrder::sorted) sort_cookies(cookies);
    for (const Part part : {Part::name, Part::pair}) {
        out.push('_');
        list_of(cookies, part).append_text(out);
    }
    return true;
}

}  // namespace seine::fingerprint
