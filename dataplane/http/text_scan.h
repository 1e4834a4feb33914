// Scans over header text sixteen or thirty-two bytes at a time.
#pragma once
#include <cstdint>
#include <immintrin.h>

namespace seine::http {

// The first byte below 0x20 at or after `at`, or `end`. Line ends, NUL and tabs are all that stop
// it, so one pass finds the end of a line and proves the rest of it free of control characters.
inline const std::uint8_t* find_control(const std::uint8_t* at, const std::uint8_t* end) noexcept {
    // The casts only load: unaligned, no wider than what is left.
#ifdef __AVX2__
    const __m256i bound32 = _mm256_set1_epi8(0x1f);
    for (; end - at >= 32; at += 32) {
        const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));  // NOLINT
        const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(chunk, bound32), chunk);
        const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(low));
        if (mask != 0) return at + __builtin_ctz(mask);
    }
#endif
    const __m128i bound16 = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));  // NOLINT
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(chunk, bound16), chunk);
        const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(low));
        if (mask != 0) return at + __builtin_ctz(mask);
    }
    while (at != end && *at >= 0x20) ++at;
    return at;
}

}  // namespace seine::http
