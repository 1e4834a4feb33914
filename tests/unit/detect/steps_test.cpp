// A sweep in steps, with traffic between them: what it finds, and whom it may not take for another.
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
        Visit v;
        v.account = 10'000'000 + i;
        v.at = kEnd.count + static_cast<std::int64_t>(i) * kMillisecond;
        v.address = static_cast<std::uint32_t>(mixed(i, 1));
        v.stack = mixed(i, 2) | 1;
        town.engine->take(test::sighting(v, 10'000'000 + i, false));
    }
    ASSERT_GT(town.engine->counters().accounts_evicted, 10'000u);
    town.engine->tick({kEnd.count + 30 * kSecond});
    town.engine->think();
    town.engine->finish_sweep();
    EXPECT_EQ(town.alerted(10'000'000, 20'000), 0u);
    EXPECT_EQ(town.alerted(1, 2000), 0u);
    town.engine->sweep({kEnd.count + kHourNs});
    EXPECT_EQ(town.alerted(10'000'000, 20'000), 0u);
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
