// FlowKey: one key for both directions, a hash that spreads and depends on its seed.
#include "dataplane/flow/flow_key.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace seine::flow {
namespace {

Endpoint v4(std::uint32_t address, std::uint16_t port) {
    return {{0, 0xffff0000u | std::uint64_t{address} << 32}, port};
}

TEST(FlowKey, IsTheSameForBothDirections) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i) {
        const Endpoint a{{random() % 2, random() % 3}, static_cast<std::uint16_t>(random() % 4)};
        const Endpoint b{{random() % 2, random() % 3}, static_cast<std::uint16_t>(random() % 4)};
        const DirectedKey there = make_key(a, b, 6);
        const DirectedKey back = make_key(b, a, 6);
        EXPECT_TRUE(there.key == back.key);
        EXPECT_EQ(hash_key(there.key, 5), hash_key(back.key, 5));
        const bool same_end = !below(a, b) && !below(b, a);
        EXPECT_EQ(there.from_low != back.from_low, !same_end);
        const Endpoint source = there.from_low ? there.key.low_end() : there.key.high_end();
        EXPECT_EQ(source.port, a.port);
        EXPECT_EQ(source.address[0], a.address[0]);
        EXPECT_EQ(source.address[1], a.address[1]);
    }
}

TEST(FlowKey, EveryFieldCounts) {
    const FlowKey key = make_key(v4(1, 1000), v4(2, 443), 6).key;
    std::vector<FlowKey> others(7, key);
    others[0].low[0] ^= 1;
    others[1].low[1] ^= 1;
    others[2].high[0] ^= 1;
    others[3].high[1] ^= 1;
    others[4].low_port ^= 1;
    others[5].high_port ^= 1;
    others[6].protocol ^= 1;
    std::set<std::uint64_t> hashes{hash_key(key, 9)};
    for (const FlowKey& other : others) {
        EXPECT_FALSE(key == other);
        hashes.insert(hash_key(other, 9));
    }
    EXPECT_EQ(hashes.size(), 8u);
}

TEST(FlowKey, HashSpreadsNeighbouringIpv4FlowsOverBuckets) {
    constexpr unsigned kBuckets = 1 << 12;
    constexpr unsigned kFlows = kBuckets * 8;
    std::vector<unsigned> count(kBuckets);
    std::vector<unsigned> count_high(kBuckets);
    for (unsigned i = 0; i < kFlows; ++i) {
        // Addresses count up in network order, ports step by two: what a scanner or a NAT sends.
        const Endpoint client = v4(__builtin_bswap32(0x0a000000u + i / 64), static_cast<std::uint16_t>(1024 + i % 64 * 2));
        const std::uint64_t hash = hash_key(make_key(client, v4(0x01020304, 443), 6).key, 42);
        ++count[hash % kBuckets];
        ++count_high[hash >> 52];
    }
    // Poisson with mean 8: chi-squared over 4,095 degrees of freedom is 4,095 +- 90.
    const auto chi_squared = [](const std::vector<unsigned>& counts) {
        double sum = 0;
        for (const unsigned c : counts) sum += (c - 8.0) * (c - 8.0) / 8.0;
        return sum;
    };
    EXPECT_LT(chi_squared(count), 4095 + 6 * 90);
    EXPECT_LT(chi_squared(count_high), 4095 + 6 * 90);
}

TEST(FlowKey, EveryInputBitFlipsAboutHalfTheHash) {
    std::mt19937_64 random(3);
    for (unsigned bit = 0; bit < 37 * 8; ++bit) {
        double flipped = 0;
        constexpr int kRounds = 200;
        for (int i = 0; i < kRounds; ++i) {
            FlowKey key{{random(), random()}, {random(), random()}, static_cast<std::uint16_t>(random()),
                        static_cast<std::uint16_t>(random()), static_cast<std::uint8_t>(random())};
            const std::uint64_t seed = random();
            const std::uint64_t before = hash_key(key, seed);
            const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
            if (bit < 128) {
                key.low[bit / 64] ^= mask;
            } else if (bit < 256) {
                key.high[(bit - 128) / 64] ^= mask;
            } else if (bit < 272) {
                key.low_port = static_cast<std::uint16_t>(key.low_port ^ 1u << (bit - 256));
            } else if (bit < 288) {
                key.high_port = static_cast<std::uint16_t>(key.high_port ^ 1u << (bit - 272));
            } else {
                key.protocol = static_cast<std::uint8_t>(key.protocol ^ 1u << (bit - 288));
            }
            flipped += __builtin_popcountll(before ^ hash_key(key, seed));
        }
        EXPECT_NEAR(flipped / kRounds, 32.0, 3.0) << "bit " << bit;
    }
}

TEST(FlowKey, AnotherSeedGivesAnotherHash) {
    const FlowKey key = make_key(v4(1, 1000), v4(2, 443), 6).key;
    std::set<std::uint64_t> hashes;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) hashes.insert(hash_key(key, seed) & 0xffffffff);
    EXPECT_GE(hashes.size(), 999u);
}

}  // namespace
}  // namespace seine::flow
