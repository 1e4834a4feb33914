// Where a farm may be: what makes one group.
#include <algorithm>

#include <gtest/gtest.h>

#include "control/detect/seeds.h"
#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kStart;
using test::Town;
using test::Visit;

// Six accounts on each of six addresses of one server network, all with the same client; as many
// on six addresses elsewhere, each with its own client.
TEST(Seeds, CrowdsOfOneNetworkAndClientAreOne) {
    Town town;
    Observer observer{Options{}};
    observer.set_prefixes(Town::networks());
    town.people(1, 600, 2);
    for (std::uint64_t a = 0; a < 72; ++a) {
        Visit v;
        v.account = 100'000 + a;
        v.at = kStart + static_cast<std::int64_t>(a) * kSecond;
        v.address = (a < 36 ? 40u << 24 : 30u << 24) | static_cast<std::uint32_t>(a / 6) << 8 | 7;
        v.stack = a < 36 ? 777 : 800 + a / 6;
        town.visit(v);
    }
    std::uint64_t flow = 0;
    for (const Visit& v : town.visits) observer.take(test::sighting(v, ++flow, false));
    const Population population(observer, {kStart + 6 * test::kDayNs}, 7 * test::kDayNs, nullptr);
    const Cells cells(population, {});
    const TwinGraph none(population, {});
    const auto seeds = find_seeds(population, cells, none, true);
    ASSERT_FALSE(seeds.empty());
    EXPECT_EQ(seeds[0].rows.size(), 36u);
    for (const std::uint32_t row : seeds[0].rows)
        EXPECT_EQ(population.rows[row].net, NetClass::hosting);
    EXPECT_EQ(std::count_if(seeds.begin(), seeds.end(), [](const auto& s) { return s.rows.size() == 6; }),
              12);
}

// Two hundred accounts with few twins, which fall into many pieces, and thirty with many.
TEST(Seeds, ADensePoolOfTwinsStandsApartFromTheRest) {
    test::Town town;
    Observer observer{Options{}};
    observer.set_prefixes(Town::networks());
    town.people(1, 400, 2);
    std::uint64_t flow = 0;
    for (const Visit& v : town.visits) observer.take(test::sighting(v, ++flow, false));
    const Population population(observer, {kStart + 6 * test::kDayNs}, 7 * test::kDayNs, nullptr);
    Twins::Weighed edges;
    const auto tie = [&](std::uint32_t a, std::uint32_t b) {
        edges.push_back({static_cast<std::uint64_t>(a) << 32 | b, 5});
    };
    for (std::uint32_t i = 0; i < 200; ++i) {
        if (i % 4 != 3) tie(i, i + 1);
    }
    for (std::uint32_t i = 0; i < 30; ++i) {
        for (std::uint32_t step = 1; step <= 3; ++step) tie(300 + i, 300 + (i + step) % 30);
    }
    const auto pools = twin_pools(population, TwinGraph(population, edges));
    ASSERT_EQ(pools.size(), 2u);
    EXPECT_EQ(pools[0].size(), 30u);
    EXPECT_EQ(pools[1].size(), 200u);
}

}  // namespace
}  // namespace seine::detect
