// Keyed 64-bit hash for tables and sketches: fast, not for secrets (those use crypto/keyed_hash.h).
#pragma once
#include <cstdint>

#include "dataplane/base/bytes.h"

namespace seine {

__extension__ using Uint128 = unsigned __int128;  // not ISO, on every compiler we build with

// Mixes two words through a 128-bit product; a keyed seed keeps an attacker from aiming at buckets.
inline std::uint64_t mix64(std::uint64_t a, std::uint64_t b) noexcept {
    const auto product = static_cast<Uint128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash64(ByteView bytes, std::uint64_t seed) noexcept {
    constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    std::uint64_t state = seed ^ mix64(bytes.size() + kOdd0, kOdd1);
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 16; left -= 16, at += 16) {
        state = mix64(load_le64(at) ^ kOdd0 ^ state, load_le64(at + 8) ^ kOdd1 ^ seed);
    }
    std::uint64_t tail[2] = {0, 0};
    if (left > 0) std::memcpy(tail, at, left);
    state = mix64(tail[0] ^ kOdd0 ^ state, tail[1] ^ kOdd1 ^ seed);
    return mix64(state ^ kOdd0, bytes.size() ^ kOdd1);
}

}  // namespace seine
