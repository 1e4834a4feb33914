// The identifiers that need a private enterprise number.
#pragma once
#include <cstdint>
#include <string_view>

namespace seine::siem {

// 32473 is reserved for examples and documentation (RFC 5612). Seine has no number of its own yet;
// a site that has one sets it in the destination (`pen`).
inline constexpr std::uint32_t kDocumentationPen = 32473;

}  // namespace seine::siem
