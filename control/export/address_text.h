// Addresses inside prose, cut to as many bits as a destination may see.
#pragma once
#include <string>
#include <string_view>

#include "control/model/address.h"

namespace seine::siem {

// The address with all but its first `v4_bits` of 32, or `v6_bits` of 128, cleared.
model::Address truncated(const model::Address& address, unsigned v4_bits,
                         unsigned v6_bits) noexcept;

// `text` with every IPv4 or IPv6 address in it replaced by its truncation. A run of digits, dots,
// colons and hex letters that is an address counts as one; anything else is left alone.
std::string truncate_addresses(std::string_view text, unsigned v4_bits, unsigned v6_bits);

}  // namespace seine::siem
