// An IP address as sixteen bytes; IPv4 is v4-mapped (::ffff:a.b.c.d), as in records.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace seine::model {

using Address = std::array<std::uint8_t, 16>;

[[nodiscard]] constexpr bool is_v4(const Address& address) noexcept {
    for (std::size_t i = 0; i < 10; ++i) {
        if (address[i] != 0) return false;
    }
    return address[10] == 0xff && address[11] == 0xff;
}

// Dotted for IPv4, else RFC 5952.
std::string to_text(const Address& address);

// Reads "192.0.2.1", "2001:db8::1" and, as proxies write it, "[2001:db8::1]". A v4-mapped IPv6
// text gives the IPv4 address. False, and `out` unchanged, for anything else (a zone, a port, a
// name).
[[nodiscard]] bool from_text(std::string_view text, Address& out) noexcept;

// The address with all but its first `bits` of 128 cleared (an IPv4 /24 is 120 here).
[[nodiscard]] Address prefix_of(const Address& address, unsigned bits) noexcept;

}  // namespace seine::model
