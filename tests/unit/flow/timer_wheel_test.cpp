// TimerWheel against a sorted list: nothing early, nothing more than a tick late, work bounded.
#include "dataplane/flow/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::flow {
namespace {

constexpr Nanos kStart{1'700'000'000 * kSecond + 123};

struct Flows {
    explicit Flows(std::size_t count) : deadlines(count) {}
    Nanos deadline(std::uint32_t id) {
        ++reads;
        return deadlines[id];
    }
    void expire(std::uint32_t id) {
        expired.push_back(id);
        if (on_expire) on_expire(id);
    }
    void prefetch(std::uint32_t) { ++prefetches; }

    std::vector<Nanos> deadlines;
    std::vector<std::uint32_t> expired;
    std::function<void(std::uint32_t)> on_expire;
    std::size_t reads = 0;
    std::size_t prefetches = 0;
};

std::unique_ptr<TimerWheel> make_wheel(std::uint32_t ids, std::int64_t tick_ns = 100 * kMillisecond,
                                       std::uint32_t slots = 256) {
    auto wheel = TimerWheel::make({ids, tick_ns, slots});
    EXPECT_TRUE(wheel.has_value());
    return std::move(*wheel);
}

TEST(TimerWheel, ExpiresWithinATickOfTheDeadline) {
    const auto wheel = make_wheel(2);
    Flows flows(2);
    EXPECT_TRUE(wheel->advance(kStart, 100, flows));
    flows.deadlines[1] = kStart + 5 * kSecond;
    wheel->schedule(1, flows.deadlines[1]);
    EXPECT_TRUE(wheel->advance(kStart + (5 * kSecond - 1), 100, flows));
    EXPECT_TRUE(flows.expired.empty());
    EXPECT_TRUE(wheel->advance(kStart + 5 * kSecond + 100 * kMillisecond, 100, flows));
    EXPECT_EQ(flows.expired, std::vector<std::uint32_t>{1});
    EXPECT_FALSE(wheel->scheduled(1));
    EXPECT_EQ(wheel->size(), 0u);
}

TEST(TimerWheel, ADeadlineThatMovedAwayIsReadAgain) {
    const auto wheel = make_wheel(1);
    Flows flows(1);
    wheel->advance(kStart, 100, flows);
    wheel->schedule(0, kStart + kSecond);
    flows.deadlines[0] = kStart + 3 * kSecond;  // packets came
    wheel->advance(kStart + 2 * kSecond, 100, flows);
    EXPECT_TRUE(flows.expired.empty());
    EXPECT_EQ(flows.reads, 1u);
    wheel->advance(kStart + 4 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 1u);
    EXPECT_EQ(flows.prefetches, 2u);
}

TEST(TimerWheel, AfterASilenceDeadlinesExpireInTheirOrder) {
    const auto wheel = make_wheel(5);
    Flows flows(5);
    wheel->advance(kStart, 100, flows);
    const std::int64_t due[] = {5, 2, 3, 4, 4};
    for (std::uint32_t id = 0; id < 5; ++id) {
        flows.deadlines[id] = kStart + due[id] * kSecond;
        wheel->schedule(id, kStart + (id % 2 == 0 ? 1 : due[id]) * kSecond);  // the even ones are looked at before
    }
    EXPECT_TRUE(wheel->advance(kStart + 20 * kSecond, 100, flows));
    EXPECT_EQ(flows.expired, (std::vector<std::uint32_t>{1, 2, 3, 4, 0}));
}

TEST(TimerWheel, CancelAndRescheduleMoveIds) {
    const auto wheel = make_wheel(3);
    Flows flows(3);
    wheel->advance(kStart, 100, flows);
    for (std::uint32_t id = 0; id < 3; ++id) {
        flows.deadlines[id] = kStart + kSecond;
        wheel->schedule(id, flows.deadlines[id]);
    }
    wheel->cancel(1);
    wheel->cancel(1);
    flows.deadlines[2] = kStart + 10 * kSecond;
    wheel->schedule(2, flows.deadlines[2]);
    flows.deadlines[2] = kStart + 2 * kSecond;
    wheel->schedule(2, flows.deadlines[2]);
    EXPECT_EQ(wheel->size(), 2u);
    wheel->advance(kStart + 1500 * kMillisecond, 100, flows);
    EXPECT_EQ(flows.expired, std::vector<std::uint32_t>{0});
    wheel->advance(kStart + 3 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 2u);
}

TEST(TimerWheel, DeadlinesBeyondTheWheelAreLookedAtOnceATurn) {
    const auto wheel = make_wheel(1);  // one turn is 25.6 s
    Flows flows(1);
    wheel->advance(kStart, 100, flows);
    flows.deadlines[0] = kStart + 100 * kSecond;
    wheel->schedule(0, flows.deadlines[0]);
    for (int s = 1; s <= 99; ++s) wheel->advance(kStart + s * kSecond, 100, flows);
    EXPECT_TRUE(flows.expired.empty());
    EXPECT_LE(flows.reads, 5u);
    wheel->advance(kStart + 101 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 1u);
}

TEST(TimerWheel, AgreesWithASortedList) {
    constexpr std::uint32_t kIds = 500;
    constexpr std::int64_t kTick = 50 * kMillisecond;
    for (unsigned round = 0; round < 10; ++round) {
        const auto wheel = make_wheel(kIds, kTick, 64);  // a turn of 3.2 s
        Flows flows(kIds);
        std::map<std::uint32_t, Nanos> model;  // id to deadline
        std::mt19937_64 random(round);
        Nanos now = kStart;
        flows.on_expire = [&](std::uint32_t id) {
            const auto known = model.find(id);
            ASSERT_NE(known, model.end()) << "expired twice or never scheduled";
            ASSERT_LE(known->second, now) << "expired early";
            model.erase(known);
        };
        for (int step = 0; step < 5000; ++step) {
            const auto id = static_cast<std::uint32_t>(random() % kIds);
            switch (random() % 8) {
                case 0:
                case 1:
                case 2: {
                    const auto span = static_cast<std::int64_t>(random() % (random() % 2 == 0 ? 10 * kSecond : kSecond));
                    flows.deadlines[id] = now + span;
                    model[id] = flows.deadlines[id];
                    wheel->schedule(id, flows.deadlines[id]);
                    break;
                }
                case 3:
                    wheel->cancel(id);
                    model.erase(id);
                    break;
                case 4:
                    if (model.count(id) == 1) {  // lazily: only the flow knows
                        flows.deadlines[id] = flows.deadlines[id] + kSecond;
                        model[id] = flows.deadlines[id];
                    }
                    break;
                default:
                    now = now + static_cast<std::int64_t>(random() % (random() % 50 == 0 ? 20 * kSecond : 200 * kMillisecond));
                    while (!wheel->advance(now, 7, flows)) {}
                    for (const auto& [each, deadline] : model) {
                        ASSERT_GT((deadline + kTick).count, now.count) << "id " << each << " is late";
                    }
                    break;
            }
            ASSERT_EQ(wheel->size(), model.size());
        }
    }
}

TEST(TimerWheel, WorkPerCallIsBoundedAndGoesOnWhereItStopped) {
    constexpr std::uint32_t kIds = 1000;
    const auto wheel = make_wheel(kIds);
    Flows flows(kIds);
    wheel->advance(kStart, 100, flows);
    for (std::uint32_t id = 0; id < kIds; ++id) {
        flows.deadlines[id] = kStart + kSecond;
        wheel->schedule(id, flows.deadlines[id]);
    }
    const std::size_t allocations = test::allocation_count();
    flows.expired.reserve(kIds);
    const std::size_t reserved = test::allocation_count();
    EXPECT_FALSE(wheel->advance(kStart + 2 * kSecond, 10, flows));
    EXPECT_EQ(flows.expired.size(), 10u);
    EXPECT_FALSE(wheel->advance(kStart + 2 * kSecond, 985, flows));
    EXPECT_EQ(flows.expired.size(), 995u);
    EXPECT_TRUE(wheel->advance(kStart + 2 * kSecond, 5, flows));
    EXPECT_EQ(flows.expired.size(), 1000u);
    EXPECT_EQ(test::allocation_count(), reserved);
    EXPECT_GE(reserved, allocations);
}

TEST(TimerWheel, AYearOfSilenceIsOneTurn) {
    constexpr std::uint32_t kIds = 100;
    const auto wheel = make_wheel(kIds);
    Flows flows(kIds);
    wheel->advance(kStart, 100, flows);
    const Nanos later = kStart + 365 * 86400 * kSecond;
    for (std::uint32_t id = 0; id < kIds; ++id) {
        flows.deadlines[id] = id % 2 == 0 ? kStart + kSecond : later + 5 * kSecond;
        wheel->schedule(id, flows.deadlines[id]);
    }
    EXPECT_TRUE(wheel->advance(later, 10 * kIds, flows));
    EXPECT_EQ(flows.expired.size(), kIds / 2);
    EXPECT_LE(flows.reads, 2 * kIds);
    wheel->advance(later + 6 * kSecond, 10 * kIds, flows);
    EXPECT_EQ(flows.expired.size(), kIds);
}

TEST(TimerWheel, ExpiryMayCancelAndScheduleOthers) {
    constexpr std::uint32_t kIds = 20;
    const auto wheel = make_wheel(kIds);
    Flows flows(kIds);
    wheel->advance(kStart, 100, flows);
    for (std::uint32_t id = 0; id < kIds; ++id) {
        flows.deadlines[id] = kStart + kSecond;
        wheel->schedule(id, flows.deadlines[id]);
    }
    flows.on_expire = [&](std::uint32_t id) {
        const std::uint32_t other = (id + 1) % kIds;  // in hand, in a slot or gone
        wheel->cancel(other);
        flows.deadlines[id] = kStart + 100 * kSecond;
        wheel->schedule(id, flows.deadlines[id]);
    };
    EXPECT_TRUE(wheel->advance(kStart + 2 * kSecond, 1000, flows));
    EXPECT_GE(flows.expired.size(), 1u);
    EXPECT_LE(wheel->size(), kIds);
    for (const std::uint32_t id : flows.expired) EXPECT_LT(id, kIds);
}

TEST(TimerWheel, TimeThatGoesBackDoesNothing) {
    const auto wheel = make_wheel(1);
    Flows flows(1);
    wheel->advance(kStart + 10 * kSecond, 100, flows);
    flows.deadlines[0] = kStart + 11 * kSecond;
    wheel->schedule(0, flows.deadlines[0]);
    EXPECT_TRUE(wheel->advance(kStart, 100, flows));
    EXPECT_TRUE(flows.expired.empty());
    wheel->advance(kStart + 12 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 1u);
}

TEST(TimerWheel, AfterARebaseTimeGoesOnFromThere) {
    const auto wheel = make_wheel(3);  // one turn is 25.6 s
    Flows flows(3);
    const Nanos late = kStart + 5 * 3600 * kSecond;
    wheel->advance(late, 100, flows);
    flows.deadlines[0] = late + 5 * kSecond;  // stays: only its owner may say that it is of another time
    wheel->schedule(0, flows.deadlines[0]);
    flows.deadlines[1] = late + 3 * kSecond;
    wheel->schedule(1, flows.deadlines[1]);
    wheel->rebase(kStart);
    flows.deadlines[1] = kStart;  // its owner says so
    flows.deadlines[2] = kStart + 2 * kSecond;
    wheel->schedule(2, flows.deadlines[2]);
    EXPECT_TRUE(wheel->advance(kStart + 2100 * kMillisecond, 100, flows));
    EXPECT_NE(std::find(flows.expired.begin(), flows.expired.end(), 2u), flows.expired.end())
        << "the new deadline comes up in the new time";
    for (int s = 3; s <= 26; ++s) EXPECT_TRUE(wheel->advance(kStart + s * kSecond, 100, flows));
    EXPECT_NE(std::find(flows.expired.begin(), flows.expired.end(), 1u), flows.expired.end())
        << "what stood there is read within a turn";
    EXPECT_EQ(flows.expired.size(), 2u);
    EXPECT_TRUE(wheel->scheduled(0));
    EXPECT_TRUE(wheel->advance(late + 6 * kSecond, 100, flows));
    EXPECT_EQ(flows.expired.size(), 3u);
}

TEST(TimerWheel, SchedulingBeforeTheFirstAdvanceWorks) {
    const auto wheel = make_wheel(2);
    Flows flows(2);
    flows.deadlines = {kStart + 10 * kSecond, kStart + 20 * kSecond};
    wheel->schedule(0, flows.deadlines[0]);
    wheel->schedule(1, flows.deadlines[1]);
    EXPECT_TRUE(wheel->advance(kStart, 100, flows));
    EXPECT_TRUE(flows.expired.empty());
    wheel->advance(kStart + 11 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 1u);
    wheel->advance(kStart + 21 * kSecond, 100, flows);
    EXPECT_EQ(flows.expired.size(), 2u);
}

TEST(TimerWheel, RefusesImpossiblePlans) {
    EXPECT_FALSE(TimerWheel::make({0, kSecond, 64}).has_value());
    EXPECT_FALSE(TimerWheel::make({10, 0, 64}).has_value());
    EXPECT_FALSE(TimerWheel::make({10, kSecond, 65}).has_value());
}

}  // namespace
}  // namespace seine::flow
