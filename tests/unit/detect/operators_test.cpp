// Who is behind what: a small operator beside a large one, and accounts that share nothing but the
// seller of their addresses.
#include <set>

#include <gtest/gtest.h>

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
