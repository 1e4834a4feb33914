// What an analyst decides by hand, and that it outlives sweeps and restarts.
#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kHourNs;
using test::tag_of;
using test::Town;

class Decisions : public testing::Test {
  protected:
    Decisions() {
        town_.people(1, 3000);
        town_.relayed_farm(100'000, 60);
        town_.sharing_farm(200'000);
        town_.play();
    }
    [[nodiscard]] std::uint64_t farm_of(std::uint64_t account) const {
        return town_.engine->result(tag_of<model::AccountTag>(account)).farm;
    }
    [[nodiscard]] const model::Farm* farm(std::uint64_t id) {
        farms_ = town_.engine->farms();
        for (const model::Farm& f : farms_) {
            if (f.id == id) return &f;
        }
        return nullptr;
    }
    // The next sweep, and a restart before it.
    void later() {
        std::stringstream saved;
        ASSERT_TRUE(town_.engine->save(saved).ok());
        Town fresh;
        ASSERT_TRUE(fresh.engine->load(saved).ok());
        town_.engine = std::move(fresh.engine);
        town_.end = {town_.end.count + kHourNs};
        town_.engine->sweep(town_.end);
    }
    static std::vector<model::AccountTag> tags(std::uint64_t first, std::uint64_t n) {
        std::vector<model::AccountTag> out;
        for (std::uint64_t i = 0; i < n; ++i) out.push_back(tag_of<model::AccountTag>(first + i));
        return out;
    }
    Town town_;
    std::vector<model::Farm> farms_;
};

TEST_F(Decisions, ConfirmedFarmsAreNoLongerProvisional) {
    const std::uint64_t id = farm_of(100'003);
    ASSERT_NE(id, 0u);
    ASSERT_TRUE(farm(id)->provisional);
    EXPECT_FALSE(town_.engine->confirm(id, town_.end, "").ok());
    EXPECT_EQ(town_.engine->confirm(9999, town_.end, "known").code(), Code::not_found);
    ASSERT_TRUE(town_.engine->confirm(id, town_.end, "known").ok());
    later();
    ASSERT_NE(farm(id), nullptr);
    EXPECT_FALSE(farm(id)->provisional);
    EXPECT_EQ(farm(id)->state, model::FarmState::active);
}

TEST_F(Decisions, DismissedFarmsAlertNobodyAndGainNobody) {
    const std::uint64_t id = farm_of(100'003);
    const std::size_t size = farm(id)->members.size();
    ASSERT_TRUE(town_.engine->dismiss(id, town_.end, "a partner").ok());
    later();
    ASSERT_NE(farm(id), nullptr);
    EXPECT_EQ(farm(id)->state, model::FarmState::dismissed);
    EXPECT_EQ(farm(id)->members.size(), size);
    EXPECT_EQ(town_.alerted(100'000, 60), 0u);
    EXPECT_EQ(town_.alerted(200'000, 5), 5u);
}

TEST_F(Decisions, MergedFarmsStayOne) {
    const std::uint64_t into = farm_of(100'003), from = farm_of(200'002);
    ASSERT_NE(into, from);
    const std::size_t size = farm(into)->members.size() + farm(from)->members.size();
    EXPECT_FALSE(town_.engine->merge(into, into, town_.end).ok());
    ASSERT_TRUE(town_.engine->merge(into, from, town_.end).ok());
    later();
    later();
    EXPECT_EQ(farm(from), nullptr);
    ASSERT_NE(farm(into), nullptr);
    EXPECT_EQ(farm(into)->members.size(), size);
    EXPECT_EQ(farm_of(200'002), into);
    EXPECT_EQ(farm_of(100'003), into);
}

TEST_F(Decisions, ASplitFarmStaysTwo) {
    const std::uint64_t id = farm_of(100'003);
    const std::size_t size = farm(id)->members.size();
    const auto fresh =
        town_.engine->split(id, tags(100'010, 12), town_.end, "another operator's clients");
    ASSERT_TRUE(fresh.has_value()) << fresh.error().message();
    later();
    later();
    ASSERT_NE(farm(*fresh), nullptr);
    EXPECT_EQ(farm(*fresh)->members.size(), 12u);
    EXPECT_EQ(farm(id)->members.size(), size - 12);
    EXPECT_EQ(farm_of(100'010), *fresh);
    EXPECT_EQ(farm_of(100'003), id);
    EXPECT_EQ(town_.alerted(100'010, 12), 12u);
    bool told = false;
    for (const model::Event& event : town_.engine->events())
        told = told || event.farm.kind == model::FarmEvent::Kind::split;
    EXPECT_FALSE(told);  // it was told before the restart, not again
}

TEST_F(Decisions, ASplitThatMakesNoSenseIsRefusedWhole) {
    const std::uint64_t id = farm_of(100'003);
    const std::size_t size = farm(id)->members.size();
    const auto refused = [&](std::uint64_t farm, const std::vector<model::AccountTag>& accounts,
                             const char* reason) {
        return !town_.engine->split(farm, accounts, town_.end, reason).has_value();
    };
    EXPECT_TRUE(refused(id, {}, "nobody"));
    EXPECT_TRUE(refused(id, tags(100'000, 60), "everybody"));
    EXPECT_TRUE(refused(id, tags(100'010, 3), ""));
    EXPECT_TRUE(refused(9999, tags(100'010, 3), "no such farm"));
    std::vector<model::AccountTag> mixed = tags(100'010, 3);
    mixed.push_back(tag_of<model::AccountTag>(7));
    EXPECT_TRUE(refused(id, mixed, "one of them is not of the farm"));
    EXPECT_EQ(farm(id)->members.size(), size);
}

TEST_F(Decisions, MembersAreShownWithWhatTheyShowMost) {
    const std::uint64_t id = farm_of(200'002);
    const auto members = town_.engine->members(id);
    ASSERT_EQ(members.size(), 5u);
    for (const MemberView& m : members) {
        EXPECT_EQ(m.address, "40.0.0.77");
        EXPECT_EQ(m.network, "AS64300 (hosting)");
        EXPECT_FALSE(m.client.empty());
        EXPECT_EQ(m.closed.count, 0);
        EXPECT_GE(m.last.count, m.since.count - 7 * test::kDayNs);
    }
    EXPECT_TRUE(town_.engine->members(9999).empty());
}

// Values that nobody else shows, poured in over accounts that are there and over new ones: lists
// are bounded, so is memory, and farms stay found. SEINE_HOSTILE_TOKENS sets how many (the soak:
// 100 million).
TEST(HostileTokens, NeitherFillMemoryNorHideAFarm) {
    const char* wanted = std::getenv("SEINE_HOSTILE_TOKENS");
    const std::uint64_t tokens = wanted == nullptr ? 1'000'000 : std::strtoull(wanted, nullptr, 10);
    Options options;
    options.accounts_max = 6000;
    Town town(options);
    town.people(1, 3000);
    town.relayed_farm(100'000, 60);
    town.sharing_farm(200'000);
    town.play();
    ASSERT_GE(town.alerted(100'000, 60), 59u);
    ASSERT_EQ(town.alerted(200'000, 5), 5u);
    constexpr std::uint64_t kOfEach = 5;  // address, prefix, client, SYN, session
    const std::uint64_t visits = tokens / kOfEach;
    std::uint64_t settled = 0;
    for (std::uint64_t i = 0; i < visits; ++i) {
        test::Visit v;
        v.account = i % 2 == 0 ? 1 + test::mixed(i, 9) % 3000 : 10'000'000 + i;
        v.at = town.end.count + static_cast<std::int64_t>(i) * 10'000;
        v.address = static_cast<std::uint32_t>(test::mixed(i, 1));
        v.stack = test::mixed(i, 2) | 1;
        v.syn = test::mixed(i, 4) | 1;
        v.session = test::mixed(i, 3) | 1;
        town.engine->take(test::sighting(v, 20'000'000 + i, false));
        if (i == visits / 2) settled = town.engine->counters().bytes;
    }
    const Counters c = town.engine->counters();
    EXPECT_EQ(c.accounts, 6000u);
    EXPECT_GT(c.tokens_evicted + c.accounts_evicted, visits / 2);
    // The second half found every list as long as it may be.
    EXPECT_LE(c.bytes, settled + settled / 10);
    town.engine->sweep({town.end.count + kHourNs});
    EXPECT_GE(town.alerted(100'000, 60), 59u);
    EXPECT_EQ(town.alerted(200'000, 5), 5u);
}

}  // namespace
}  // namespace seine::detect
