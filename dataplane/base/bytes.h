// Borrowed bytes and the loads that read numbers from them.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace seine {

// A view of bytes that somebody else owns. On the packet path the owner is the frame, and the view
// dies when the inspector returns.
using ByteView = std::span<const std::uint8_t>;

inline std::uint16_t load_be16(const std::uint8_t* at) noexcept {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}
inline std::uint32_t load_be24(const std::uint8_t* at) noexcept {
    return (std::uint32_t{at[0]} << 16) | (std::uint32_t{at[1]} << 8) | at[2];
}
inline std::uint32_t load_be32(const std::uint8_t* at) noexcept {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}
inline std::uint64_t load_be64(const std::uint8_t* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}
inline std::uint16_t load_le16(const std::uint8_t* at) noexcept {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
inline std::uint32_t load_le32(const std::uint8_t* at) noexcept {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
inline std::uint64_t load_le64(const std::uint8_t* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
static_assert(std::endian::native == std::endian::little, "loads assume a little-endian host");

// The bytes of a text, borrowed.
inline ByteView as_bytes(std::string_view text) noexcept {
    // char and unsigned char may alias any object; this is the one place that says so.
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT
}
// The text of some bytes, borrowed; no encoding is assumed.
inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}
inline bool starts_with(ByteView bytes, std::string_view prefix) noexcept {
    return bytes.size() >= prefix.size() &&
           std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

inline constexpr char kHexDigits[] = "0123456789abcdef";

}  // namespace seine
