// Where a relay stands, told by the exits that its accounts share with other renters.
#include "control/detect/relay_place.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kStart;
using test::mixed;
using test::Town;
using test::Visit;

constexpr std::uint64_t kOfFarm = 100'000, kRenters = 200'000, kEach = 60;
constexpr std::uint32_t kExits = 40;

// Round trip from an exit to a place and back: 120 to 320 ms, the same for all who are there.
std::uint32_t beyond_us(std::uint32_t exit, std::uint64_t place) {
    return 120'000 + static_cast<std::uint32_t>(mixed(exit, 1000 + place) % 200'000);
}

class RelayPlaces : public testing::Test {
  protected:
    RelayPlaces() : observer_{Options{}} {
        observer_.set_prefixes(Town::networks());
        Town town;
        town.people(1, 600, 5);
        for (std::uint64_t a = 0; a < kEach; ++a) {
            rent(town, kOfFarm + a, 0);
            rent(town, kRenters + a, a == 0 ? 0 : 1 + a);  // the first one sits beside the relay
        }
        std::uint64_t flow = 0;
        for (const Visit& v : town.visits) observer_.take(test::sighting(v, ++flow, false));
        population_ = std::make_unique<Population>(
            observer_, Nanos{kStart + 6 * test::kDayNs}, 7 * test::kDayNs, nullptr);
        for (std::uint32_t row = 0; row < population_->size(); ++row) {
            const auto tag = observer_.accounts[population_->rows[row].slot].tag;
            for (std::uint64_t a = 0; a < kEach; ++a) {
                if (tag == test::tag_of<model::AccountTag>(kOfFarm + a)) members_.push_back(row);
                if (tag == test::tag_of<model::AccountTag>(kRenters)) neighbour_ = row;
                if (a > 0 && tag == test::tag_of<model::AccountTag>(kRenters + a))
                    renters_.push_back(row);
            }
        }
    }
    static void rent(Town& town, std::uint64_t account, std::uint64_t place) {
        for (unsigned c = 0; c < 6; ++c) {
            const auto exit = static_cast<std::uint32_t>(mixed(account, 60 + c) % kExits);
            Visit v;
            v.account = account;
            v.at = kStart + static_cast<std::int64_t>(mixed(account, c) % (6 * test::kDayNs));
            v.address = 20u << 24 | exit << 10 | 7;
            v.rtt_tcp_us = 20'000 + exit * 1'000;
            // Each connection meets a queue of its own.
            v.rtt_tls_us = v.rtt_tcp_us + beyond_us(exit, place) +
                           static_cast<std::uint32_t>(mixed(account, 80 + c) % 2'000);
            town.visit(v);
        }
    }
    Observer observer_;
    std::unique_ptr<Population> population_;
    std::vector<std::uint32_t> members_, renters_;
    std::uint32_t neighbour_ = 0;
};

TEST_F(RelayPlaces, TellMembersFromOthersOnTheSameExits) {
    ASSERT_EQ(members_.size(), kEach);
    ASSERT_EQ(renters_.size(), kEach - 1);
    const RelayPlace place(*population_, members_);
    unsigned good = 0, bad = 0;
    for (const std::uint32_t row : members_)
        good += place.weigh(population_->ways_of(row), true).nats >= 1.5 ? 1u : 0u;
    for (const std::uint32_t row : renters_)
        bad += place.weigh(population_->ways_of(row), false).nats >= 0 ? 1u : 0u;
    EXPECT_GE(good, kEach - 2);
    EXPECT_LE(bad, 2u);
    // Who sits beside the relay is as far away as it is.
    EXPECT_GE(place.weigh(population_->ways_of(neighbour_), false).nats, 1.5);
}

TEST_F(RelayPlaces, SayNothingOfPeopleAtHomeOrWithoutPeers) {
    const RelayPlace place(*population_, members_);
    for (std::uint32_t row = 0; row < population_->size(); ++row) {
        EXPECT_TRUE(population_->rows[row].gap_nats >= 1 || population_->ways_of(row).empty());
    }
    EXPECT_EQ(place.weigh({}, false).nats, 0);
    const RelayPlace alone(*population_, {members_[0]});
    EXPECT_EQ(alone.weigh(population_->ways_of(members_[1]), false).nats, 0);
}

TEST(Way, KeepsTheLeastOfBothRoundTrips) {
    Way way(0x0a000001, 150'000, 20'000);
    EXPECT_TRUE(way.is_of(0x0a000001));
    EXPECT_FALSE(way.is_of(0x0a000002));
    EXPECT_FLOAT_EQ(way.beyond_ms(), 130);
    way.take(Way(0x0a000001, 160'000, 15'000));
    EXPECT_FLOAT_EQ(way.beyond_ms(), 135);
    way.take(Way(0x0a000001, 0xffffffff, 0xffffffff));
    EXPECT_FLOAT_EQ(way.beyond_ms(), 135);
}

}  // namespace
}  // namespace seine::detect
