#include "dataplane/signature/rule_words.h"

#include <charconv>

namespace seine::signature {
namespace {

template <typename Number>
bool whole(std::string_view part, Number& out) noexcept {
    const auto done = std::from_chars(part.data(), part.data() + part.size(), out);
    return done.ec == std::errc() && done.ptr == part.data() + part.size();
}

}  // namespace

bool parse_ports(std::string_view word, PortRange& out) noexcept {
    const std::size_t dash = word.find('-');
    if (!whole(word.substr(0, dash), out.first)) return false;
    out.last = out.first;
    if (dash != std::string_view::npos && !whole(word.substr(dash + 1), out.last)) return false;
    return out.first <= out.last;
}

bool parse_rate(std::string_view word, Rate& out) noexcept {
    if (word == "off") {
        out = {0, 60};
        return true;
    }
    const std::size_t slash = word.find('/');
    std::uint32_t count = 0;
    if (slash == std::string_view::npos || !whole(word.substr(0, slash), count) || count == 0) return false;
    const std::string_view unit = word.substr(slash + 1);
    const std::uint32_t seconds = unit == "s" ? 1 : unit == "min" ? 60 : unit == "h" ? 3600 : unit == "day" ? 86400 : 0;
    if (seconds == 0) return false;
    out = {count, seconds};
    return true;
}

}  // namespace seine::signature
