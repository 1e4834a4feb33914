// Time as a value: nanoseconds since 1970, handed in by whoever owns a clock.
#pragma once
#include <compare>
#include <cstdint>

namespace seine {

// A point in time, UTC nanoseconds since 1970. Nobody below runtime reads a clock.
struct Nanos {
    std::int64_t count = 0;
    friend constexpr auto operator<=>(Nanos, Nanos) = default;
    // Whole microseconds, cut, as the JA4L references do before they subtract.
    [[nodiscard]] constexpr std::int64_t micros() const noexcept { return count / 1000; }
};
constexpr std::int64_t operator-(Nanos later, Nanos earlier) noexcept {
    return later.count - earlier.count;
}
constexpr Nanos operator+(Nanos at, std::int64_t ns) noexcept { return {at.count + ns}; }

inline constexpr std::int64_t kMicrosecond = 1'000;
inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace seine
