// Keyed tags: the only form in which accounts, organisations and keys travel (never their names).
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace seine::model {

// Sixteen bytes of HMAC-SHA256 over a name (detection.md 4.3). All zero: not known. `Of` keeps an
// organisation from being taken for an account.
template <typename Of>
struct Tag {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] bool known() const noexcept { return bytes != std::array<std::uint8_t, 16>{}; }
    // A tag is uniform already: its first bytes are a good hash.
    [[nodiscard]] std::uint64_t hash() const noexcept { return load_le64(bytes.data()); }
    friend constexpr auto operator<=>(const Tag&, const Tag&) = default;
};
struct OfAccount;
struct OfOrganisation;
using AccountTag = Tag<OfAccount>;
using OrgTag = Tag<OfOrganisation>;
// Eight bytes of SipHash-2-4 over an API key; 0: not known.
using KeyTag = std::uint64_t;

// 32 lower-case hex digits.
template <typename Of>
std::string to_text(const Tag<Of>& tag) {
    std::string text;
    text.reserve(32);
    for (const std::uint8_t b : tag.bytes) {
        text.push_back(kHexDigits[b >> 4]);
        text.push_back(kHexDigits[b & 15]);
    }
    return text;
}

// False, and `out` unchanged, unless `text` is 32 hex digits of either case.
template <typename Of>
[[nodiscard]] bool from_text(std::string_view text, Tag<Of>& out) noexcept {
    Tag<Of> tag;
    if (text.size() != 2 * tag.bytes.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        int digit = -1;
        if (lower >= '0' && lower <= '9') digit = lower - '0';
        if (lower >= 'a' && lower <= 'f') digit = lower - 'a' + 10;
        if (digit < 0) return false;
        tag.bytes[i / 2] = static_cast<std::uint8_t>(tag.bytes[i / 2] << 4 | digit);
    }
    out = tag;
    return true;
}

}  // namespace seine::model

template <typename Of>
struct std::hash<seine::model::Tag<Of>> {
    std::size_t operator()(const seine::model::Tag<Of>& tag) const noexcept { return tag.hash(); }
};
