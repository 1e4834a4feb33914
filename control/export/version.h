// What the formats say of the product.
#pragma once
#include <string_view>

namespace seine::siem {

inline constexpr std::string_view kVendor = "Seine";
inline constexpr std::string_view kProduct = "Seine";
#ifdef SEINE_VERSION
inline constexpr std::string_view kProductVersion = SEINE_VERSION;
#else
inline constexpr std::string_view kProductVersion = "0";
#endif

}  // namespace seine::siem
