// Who is behind what: a small operator beside a large one, and accounts that share nothing but the
// seller of their addresses.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "control/detect/campaigns.h"
#include "control/detect/cutter.h"
#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kStart;
using test::mixed;
using test::tag_of;
using test::Town;
using test::Visit;

// Accounts behind relays on rented exits whose requests have the operator's sizes. Each takes over
// two failed requests of the next one.
void pool_of_one_operator(Town& town, std::uint64_t first, std::uint64_t n,
                          std::uint32_t request_bytes, std::uint32_t signed_up) {
    town.relayed_farm(first, n);
    for (Visit& v : town.visits) {
        if (v.account < first || v.account >= first + n) continue;
        v.request_bytes = request_bytes + static_cast<std::uint32_t>(mixed(v.account, v.address) % 90);
        v.first_seen_day = Town::today() - signed_up - static_cast<std::uint32_t>(v.account % 2);
    }
    for (std::uint64_t a = first; a < first + n; ++a) {
        for (unsigned c = 0; c < 2; ++c) {
            Visit failed;
            failed.account = a;
            failed.at = kStart + static_cast<std::int64_t>(mixed(a, 80 + c) % (5 * kDayNs));
            failed.address = 20u << 24 | static_cast<std::uint32_t>(mixed(a, 82 + c) % (1u << 24));
            failed.stack = 777;
            failed.rtt_tcp_us = 30'000;
            failed.rtt_tls_us = 180'000;
            failed.request_bytes = 20'000 + static_cast<std::uint32_t>(mixed(a, 84 + c) % 60'000);
            failed.response_bytes = 280;
            failed.first_seen_day = Town::today() - signed_up - static_cast<std::uint32_t>(a % 2);
            Visit again = failed;
            again.account = first + (a + 1 + c * 7 - first) % n;
            again.at += 400 * kMillisecond;
            again.response_bytes = 5000;
            town.visit(failed);
            town.visit(again);
        }
    }
}

TEST(Operators, ASmallOneOnTheExitsOfALargeOneIsTold) {
    Town town;
    town.people(1, 3000);
    pool_of_one_operator(town, 100'000, 240, 4000, 10);
    pool_of_one_operator(town, 200'000, 30, 1700, 11);  // of one day with half of the large one
    town.play();
    EXPECT_GE(town.alerted(100'000, 240), 235u);
    EXPECT_GE(town.alerted(200'000, 30), 28u);
    std::set<std::uint64_t> large, small;
    for (std::uint64_t a = 0; a < 240; ++a)
        large.insert(town.engine->result(tag_of<model::AccountTag>(100'000 + a)).farm);
    for (std::uint64_t a = 0; a < 30; ++a)
        small.insert(town.engine->result(tag_of<model::AccountTag>(200'000 + a)).farm);
    large.erase(0);
    small.erase(0);
    EXPECT_EQ(large.size(), 1u);
    EXPECT_EQ(small.size(), 1u);
    EXPECT_NE(large, small);
}

// One operator's accounts beside one that is ten times smaller, as a sweep would split them.
struct TwoPools {
    TwoPools(std::uint64_t large, std::uint64_t small) {
        Town town;
        pool_of_one_operator(town, kLarge, large, 4000, 10);
        if (small != 0) pool_of_one_operator(town, kSmall, small, 1700, 11);
        Observer observer{Options{}};
        observer.set_prefixes(Town::networks());
        std::uint64_t flow = 0;
        for (const Visit& v : town.visits) observer.take(test::sighting(v, ++flow, true));
        const Population population(observer, {kStart + 6 * kDayNs}, 7 * kDayNs, nullptr);
        std::map<std::uint32_t, std::uint32_t> slots;
        Twins::Weighed edges;
        std::vector<std::uint32_t> rows;
        for (std::uint32_t row = 0; row < population.size(); ++row) rows.push_back(row);
        const auto slot = [&](std::uint64_t account) {
            return observer.accounts.find(tag_of<model::AccountTag>(account));
        };
        const auto ring = [&](std::uint64_t first, std::uint64_t n) {
            for (std::uint64_t i = 0; i < n; ++i) {
                const std::uint64_t a = slot(first + i), b = slot(first + (i * 3 + 1) % n);
                edges.push_back({std::min(a, b) << 32 | std::max(a, b), 5});
            }
        };
        ring(kLarge, large);
        if (small != 0) ring(kSmall, small);
        split = split_campaigns(population, TwinGraph(population, edges),
                                TwinGraph(population, {}), rows);
        for (std::uint64_t i = 0; i < small; ++i) part_of_small[part(population, slot(kSmall + i))]++;
        for (std::uint64_t i = 0; i < large; ++i) part_of_large[part(population, slot(kLarge + i))]++;
    }
    [[nodiscard]] std::uint32_t part(const Population& population, std::uint32_t of) const {
        return split.part[population.row_of(of)];
    }
    static constexpr std::uint64_t kLarge = 100'000, kSmall = 200'000;
    Split split;
    std::map<std::uint32_t, std::size_t> part_of_large, part_of_small;
};

TEST(Operators, ALargeSetIsCutAsASmallOneIs) {
    for (const std::uint64_t n : {600u, 6'000u}) {
        ASSERT_EQ(n <= Cutter::kWholeMax, n == 600) << "one of each way to look for a cut";
        TwoPools pools(n, n / 10);
        EXPECT_GE(pools.part_of_large[0], n - n / 50) << n;
        EXPECT_GE(pools.part_of_small[1], n / 10 - n / 100) << n;
    }
}

// What looking for a cut costs is bounded whatever the size: all but a few looks go to samples.
TEST(Operators, WhatACutCostsGrowsByFewLooksAMember) {
    constexpr std::uint64_t kMembers = 6'000;
    const TwoPools once(kMembers, 0), twice(2 * kMembers, 0);
    EXPECT_EQ(once.part_of_large.size(), 1u);
    EXPECT_EQ(twice.part_of_large.size(), 1u);
    constexpr std::uint64_t kSample = Cutter::kSampleSeed + Cutter::kSampleOthers;
    constexpr std::uint64_t kSamples = 5 * Cutter::kSeedsMax * (Cutter::kRounds + 1) * kSample;
    constexpr std::uint64_t kEach = Cutter::kSettledMax * (Cutter::kRounds + 2);
    EXPECT_LE(once.split.looks, kSamples + kEach * kMembers);
    EXPECT_LE(twice.split.looks, kSamples + kEach * 2 * kMembers);
}

TEST(Operators, ALargeSetIsCutAlikeByAnyNumberOfThreads) {
    std::vector<std::vector<std::uint64_t>> farms;
    for (const unsigned threads : {1u, 4u}) {
        Options options;
        options.threads = threads;
        Town town(options);
        town.people(1, 3000);
        pool_of_one_operator(town, 100'000, 3300, 4000, 10);
        pool_of_one_operator(town, 200'000, 330, 1700, 11);
        town.play(1);
        auto& of = farms.emplace_back();
        std::set<std::uint64_t> large, small;
        for (std::uint64_t a = 100'000; a < 103'300; ++a) {
            of.push_back(town.engine->result(tag_of<model::AccountTag>(a)).farm);
            large.insert(of.back());
        }
        for (std::uint64_t a = 200'000; a < 200'330; ++a) {
            of.push_back(town.engine->result(tag_of<model::AccountTag>(a)).farm);
            small.insert(of.back());
        }
        EXPECT_NE(large, small);
    }
    EXPECT_EQ(farms[0], farms[1]);
}

// No client, no hour and no size in common; an address of its own for each, eight of a block.
TEST(Operators, BlocksOfSoldAddressesGiveAFarmAway) {
    Town town;
    town.people(1, 3000);
    town.people(100'000, 240, 8);
    for (Visit& v : town.visits) {
        if (v.account < 100'000) continue;
        const auto n = static_cast<std::uint32_t>(v.account - 100'000);
        v.address = 20u << 24 | (n / 8) << 18 | (n / 8) << 8 | (10 + 9 * (n % 8));
        v.rtt_tls_us = v.rtt_tcp_us * 2 + 110'000;
        v.first_seen_day = Town::today() - static_cast<std::uint32_t>(mixed(v.account, 7) % 170);
    }
    town.play();
    EXPECT_GE(town.alerted(100'000, 240), 200u);
    EXPECT_EQ(town.alerted(1, 3000), 0u);
}

}  // namespace
}  // namespace seine::detect
