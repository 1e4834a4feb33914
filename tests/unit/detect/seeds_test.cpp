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
    EXPECT_EQ(seeds[0].size(), 36u);
    for (const std::uint32_t row : seeds[0])
        EXPECT_EQ(population.rows[row].net, NetClass::hosting);
    EXPECT_EQ(std::count_if(seeds.begin(), seeds.end(), [](const auto& s) { return s.size() == 6; }),
              12);
}

}  // namespace
}  // namespace seine::detect
