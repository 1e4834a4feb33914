// Finds runs that could be an address and asks the parser.
#include "control/export/address_text.h"

#include <algorithm>

namespace seine::siem {
namespace {

constexpr bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_address_byte(char c) noexcept { return is_hex(c) || c == '.' || c == ':'; }

// Appends the run with its address cut; ports behind an IPv4 address and full stops stay.
void append_run(std::string& out, std::string_view run, unsigned v4_bits, unsigned v6_bits) {
    // "192.0.2.1:443" and "192.0.2.1." hold an address and a rest: the longest head that parses
    // counts.
    for (std::size_t take = run.size(); take >= 2; --take) {
        if (take < run.size() && run[take] != '.' && run[take] != ':') continue;
        model::Address address{};
        if (!model::from_text(run.substr(0, take), address)) continue;
        out += model::to_text(truncated(address, v4_bits, v6_bits));
        out += run.substr(take);
        return;
    }
    out += run;
}

}  // namespace

model::Address truncated(const model::Address& address, unsigned v4_bits,
                         unsigned v6_bits) noexcept {
    const unsigned bits =
        model::is_v4(address) ? 96 + std::min(v4_bits, 32u) : std::min(v6_bits, 128u);
    return model::prefix_of(address, bits);
}

std::string truncate_addresses(std::string_view text, unsigned v4_bits, unsigned v6_bits) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        if (!is_address_byte(text[at])) {
            out.push_back(text[at++]);
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_address_byte(text[end])) ++end;
        const std::string_view run = text.substr(at, end - at);
        // The longest text of an address is 45 characters, with a port behind it 51.
        if (run.size() > 64 || run.find_first_of(".:") == std::string_view::npos) {
            out += run;
        } else {
            append_run(out, run, v4_bits, v6_bits);
        }
        at = end;
    }
    return out;
}

}  // namespace seine::siem
