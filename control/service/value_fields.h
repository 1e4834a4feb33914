// Names of the fields that values are counted by.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace seine::service {

// "ja4", .. as in records; "address", "prefix", "session" for those of the store alone.
std::string_view field_name(std::uint16_t field) noexcept;
// 0: no field of that name.
std::uint16_t field_number(std::string_view name) noexcept;
// Fields that say which software a client is, the most telling first.
std::span<const std::uint16_t> fingerprint_fields() noexcept;

}  // namespace seine::service
