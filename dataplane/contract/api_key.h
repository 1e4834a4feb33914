// The bare API key in a header's value: both halves hash the same bytes of it, or their tags
// differ.
#pragma once
#include <string_view>

namespace seine::contract {

// `Bearer sk-..` loses its scheme and the blanks around. Borrows; empty when there is no key ("-"
// in logs).
[[nodiscard]] constexpr std::string_view bare_key(std::string_view value) noexcept {
    const auto trim = [](std::string_view text) {
        while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
            text.remove_prefix(1);
        while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
        return text;
    };
    value = trim(value);
    for (const std::string_view scheme : {"bearer ", "token ", "basic ", "apikey "}) {
        if (value.size() <= scheme.size()) continue;
        bool same = true;
        for (std::size_t i = 0; i < scheme.size(); ++i) {
            const char c = value[i];
            same = same && (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) == scheme[i];
        }
        if (same) {
            value = trim(value.substr(scheme.size()));
            break;
        }
    }
    return value == "-" ? std::string_view{} : value;
}

}  // namespace seine::contract
