// A sweep in steps, with traffic between them: what it finds, and whom it may not take for another.
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kHourNs;
using test::kStart;
using test::mixed;
using test::Town;
using test::Visit;

std::string alerts_in_order(const Engine& engine) {
    std::string out;
    engine.results([&](const AccountResult& r) {
        if (r.alerted) out += to_text(r.account) + ' ' + std::to_string(r.farm) + '\n';
    });
    return out;
}

// Everything but the sweeps.
void feed(Town& town) {
    for (std::size_t i = 0; i < town.visits.size(); ++i) {
        town.engine->take(test::sighting(town.visits[i], i + 1, false));
        town.engine->take(test::sighting(town.visits[i], i + 1, true));
    }
}

constexpr Nanos kEnd{kStart + 6 * kDayNs + kHourNs};

// The only connection of somebody whom nothing connects to anybody else.
constexpr std::uint64_t kStrangers = 10'000'000;
model::Sighting stranger(std::uint64_t n, std::int64_t at, std::uint64_t session = 0) {
    Visit v;
    v.account = kStrangers + n;
    v.at = at;
    v.address = static_cast<std::uint32_t>(mixed(n, 1));
    v.stack = mixed(n, 2) | 1;
    v.session = session;
    return test::sighting(v, v.account, false);
}

TEST(SweepInSteps, FindsWhatOneInOneGoFinds) {
    std::string whole;
    for (const std::uint32_t step : {0u, 1'000u, 7u}) {
        Town town;
        town.people(1, 2500);
        town.relayed_farm(100'000, 60);
        town.sharing_farm(200'000);
        feed(town);
        if (step == 0) {
            town.engine->sweep(kEnd);
            whole = alerts_in_order(*town.engine);
            EXPECT_FALSE(whole.empty());
            continue;
        }
        town.engine->begin_sweep(kEnd);
        std::size_t steps = 1;
        while (!town.engine->gather(step)) ++steps;
        EXPECT_GE(steps, 2565 / step);
        std::thread elsewhere([&] { town.engine->think(); });
        elsewhere.join();
        EXPECT_EQ(town.engine->counters().alerted, 0u);
        town.engine->finish_sweep();
        EXPECT_EQ(alerts_in_order(*town.engine), whole) << step;
        EXPECT_EQ(town.engine->counters().sweeps, 1u);
    }
}

// Between freezing and finding, strangers push the farm's accounts out and get their places.
TEST(SweepInSteps, NobodyInheritsTheAlertOfAnEvictedAccount) {
    Options options;
    options.accounts_max = 2065;
    Town town(options);
    town.relayed_farm(100'000, 60, 4);
    town.sharing_farm(200'000);
    town.people(1, 2000, 6);
    feed(town);
    ASSERT_EQ(town.engine->counters().accounts_evicted, 0u);
    town.engine->begin_sweep(kEnd);
    while (!town.engine->gather(500)) {
    }
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        town.engine->take(stranger(i, kEnd.count + static_cast<std::int64_t>(i) * kMillisecond));
    }
    ASSERT_GT(town.engine->counters().accounts_evicted, 10'000u);
    town.engine->tick({kEnd.count + 30 * kSecond});
    town.engine->think();
    town.engine->finish_sweep();
    EXPECT_EQ(town.alerted(kStrangers, 20'000), 0u);
    EXPECT_EQ(town.alerted(1, 2000), 0u);
    town.engine->sweep({kEnd.count + kHourNs});
    EXPECT_EQ(town.alerted(kStrangers, 20'000), 0u);
}

// The same while its findings are put in force, at every breath.
TEST(SweepInSteps, NorOfOneThatIsEvictedWhileFarmsArePutInForce) {
    Options options;
    options.accounts_max = 2600;
    Town town(options);
    town.relayed_farm(100'000, 500, 4);
    town.sharing_farm(200'000);
    town.people(1, 2000, 6);
    feed(town);
    town.engine->begin_sweep(kEnd);
    while (!town.engine->gather(64)) {
    }
    town.engine->think();
    std::uint64_t strangers = 0, breaths = 0;
    town.engine->finish_sweep([&] {
        ++breaths;
        for (int n = 0; n < 400; ++n) {
            const auto at = kEnd.count + static_cast<std::int64_t>(strangers) * kMillisecond;
            town.engine->take(stranger(strangers++, at));
        }
    });
    EXPECT_GT(breaths, 10u);
    EXPECT_GT(town.engine->counters().accounts_evicted, 500u);
    EXPECT_EQ(town.alerted(kStrangers, strangers), 0u);
    for (const model::Farm& farm : town.engine->farms()) {
        if (farm.level != model::FarmLevel::campaign) continue;
        for (const model::FarmMember& member : farm.members)
            EXPECT_TRUE(town.engine->result(member.account).alerted);
    }
    town.engine->sweep({kEnd.count + kHourNs});
    EXPECT_EQ(town.alerted(kStrangers, strangers), 0u);
}

// One who gets the place of an evicted member is of no farm's list, and shares no session with anybody.
TEST(EvictedMembers, LeaveNothingToWhoGetsTheirPlace) {
    Options options;
    options.accounts_max = 2100;
    Town town(options);
    town.relayed_farm(100'000, 60, 4);
    town.sharing_farm(200'000);
    town.people(1, 2000, 6);
    feed(town);
    town.engine->sweep(kEnd);
    ASSERT_EQ(town.alerted(200'000, 5), 5u);
    const std::uint64_t shared = town.engine->counters().shared_sessions;
    std::int64_t at = kEnd.count;
    for (std::uint64_t n = 0; n < 20'000; ++n)
        town.engine->take(stranger(n, at += kMillisecond));
    town.engine->tick({at});
    std::size_t listed = 0;
    for (const model::Farm& farm : town.engine->farms()) {
        for (const model::FarmMember& member : farm.members) {
            ++listed;
            EXPECT_TRUE(town.engine->result(member.account).alerted) << farm.id;
        }
    }
    EXPECT_LT(listed, 2u * 65);
    // The tickets of the farm are still known, their presenters are not.
    for (std::uint64_t c = 0; c < 12; ++c)
        town.engine->take(stranger(30'000 + c, at += kMillisecond, 900'000 + c));
    EXPECT_EQ(town.engine->counters().shared_sessions, shared);
}

// Farms that change while they are written are written as they became.
TEST(SaveInSteps, FarmsThatChangeMeanwhileAreWrittenAnew) {
    Town town;
    town.people(1, 2500);
    town.relayed_farm(100'000, 60);
    town.sharing_farm(200'000);
    town.play();
    const std::uint64_t farm = town.engine->result(test::tag_of<model::AccountTag>(100'003)).farm;
    ASSERT_NE(farm, 0u);
    std::string out;
    std::size_t steps = 0;
    town.engine->begin_save();
    while (!town.engine->save_step(8, out)) {
        if (++steps != 17) continue;  // nearly all of them are written
        ASSERT_TRUE(town.engine->dismiss(farm, town.end, "a load test of ours").ok());
    }
    EXPECT_GT(steps, 2500u / 8);
    Town fresh;
    std::istringstream in(out);
    ASSERT_TRUE(fresh.engine->load(in).ok());
    ASSERT_EQ(fresh.engine->farms().size(), town.engine->farms().size());
    for (const model::Farm& f : fresh.engine->farms()) {
        EXPECT_EQ(f.state == model::FarmState::dismissed, f.id == farm) << f.id;
    }
    EXPECT_EQ(fresh.alerted(100'000, 60), 0u);
    EXPECT_EQ(fresh.alerted(200'000, 5), town.alerted(200'000, 5));
}

// What comes while a sweep thinks is not lost, and is looked at by the next tick.
TEST(SweepInSteps, TrafficGoesOnMeanwhile) {
    Town town;
    town.people(1, 2500);
    town.relayed_farm(100'000, 60);
    feed(town);
    town.engine->sweep({kEnd.count - kHourNs});
    Town late;
    late.relayed_farm(150'000, 12);
    town.engine->begin_sweep(kEnd);
    while (!town.engine->gather(256)) {
    }
    std::thread elsewhere([&] { town.engine->think(); });
    for (std::size_t i = 0; i < late.visits.size(); ++i)
        town.engine->take(test::sighting(late.visits[i], 5'000'000 + i, false));
    town.engine->tick({kEnd.count + kSecond});
    elsewhere.join();
    town.engine->finish_sweep();
    town.engine->tick({kEnd.count + 2 * kSecond});
    EXPECT_GE(town.alerted(100'000, 60), 59u);
    EXPECT_EQ(town.engine->counters().accounts, 2572u);
    town.engine->sweep({kEnd.count + kHourNs});
    EXPECT_GE(town.alerted(150'000, 12), 11u);
    EXPECT_EQ(town.alerted(1, 2500), 0u);
}

}  // namespace
}  // namespace seine::detect
