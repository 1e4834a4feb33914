// The innermost 5-tuple, the same for both directions, and its keyed hash.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"

namespace seine::flow {

// One end: sixteen address bytes (IPv4 mapped) as two words as loaded, and the port in host order.
struct Endpoint {
    std::uint64_t address[2];
    std::uint16_t port;
};

// 37 bytes of key, lower endpoint first ("lower" is any fixed order, here by loaded words, then port).
struct FlowKey {
    std::uint64_t low[2];
    std::uint64_t high[2];
    std::uint16_t low_port;
    std::uint16_t high_port;
    std::uint8_t protocol;

    [[nodiscard]] Endpoint low_end() const noexcept { return {{low[0], low[1]}, low_port}; }
    [[nodiscard]] Endpoint high_end() const noexcept { return {{high[0], high[1]}, high_port}; }
};

// The key of a packet and its direction in it. A packet of one endpoint to itself counts as from_low.
struct DirectedKey {
    FlowKey key;
    bool from_low;
};

[[nodiscard]] inline bool below(const Endpoint& a, const Endpoint& b) noexcept {
    if (a.address[1] != b.address[1]) return a.address[1] < b.address[1];
    if (a.address[0] != b.address[0]) return a.address[0] < b.address[0];
    return a.port < b.port;
}

[[nodiscard]] inline DirectedKey make_key(const Endpoint& source, const Endpoint& target,
                                          std::uint8_t protocol) noexcept {
    const bool swap = below(target, source);
    const Endpoint& low = swap ? target : source;
    const Endpoint& high = swap ? source : target;
    return {{{low.address[0], low.address[1]},
             {high.address[0], high.address[1]},
             low.port,
             high.port,
             protocol},
            !swap};
}

// Ports and protocol as one word.
[[nodiscard]] inline std::uint64_t small_word(const FlowKey& key) noexcept {
    return std::uint64_t{key.low_port} << 32 | std::uint64_t{key.high_port} << 16 | key.protocol;
}

[[nodiscard]] inline bool operator==(const FlowKey& a, const FlowKey& b) noexcept {
    const std::uint64_t differs = (a.low[0] ^ b.low[0]) | (a.low[1] ^ b.low[1]) | (a.high[0] ^ b.high[0]) |
                                  (a.high[1] ^ b.high[1]) | (small_word(a) ^ small_word(b));
    return differs == 0;
}

// Three independent 128-bit products and one to join them, about ten cycles; the seed keeps an attacker
// from aiming at buckets.
[[nodiscard]] inline std::uint64_t hash_key(const FlowKey& key, std::uint64_t seed) noexcept {
    constexpr std::uint64_t kOdd0 = 0x6a09e667f3bcc909u;  // square roots of 2, 3, 5
    constexpr std::uint64_t kOdd1 = 0xbb67ae8584caa73bu;
    constexpr std::uint64_t kOdd2 = 0x3c6ef372fe94f82bu;
    const std::uint64_t low = mix64(key.low[0] ^ seed ^ kOdd0, key.low[1] ^ (seed + kOdd1));
    const std::uint64_t high = mix64(key.high[0] ^ (seed + kOdd2), key.high[1] ^ seed ^ kOdd1);
    const std::uint64_t small = mix64(small_word(key) ^ seed ^ kOdd2, (seed + kOdd0) | 1);
    return mix64(low ^ small ^ kOdd0, high + small + seed) ^ low;
}

}  // namespace seine::flow
