// The clock's line: never steps, never runs back, finds the counter's rate, begins anew past 100 ms.
#include "dataplane/runtime/tsc_clock.h"

#include <gtest/gtest.h>
#include <time.h>

#include <thread>

namespace seine::runtime {
namespace {

constexpr double kHertz = 2.6e9;
constexpr std::uint64_t kStart = 1'000'000'000'000;
constexpr Nanos kWall{1'700'000'000'000'000'000};

std::uint64_t ticks_after(double seconds) {
    return kStart + static_cast<std::uint64_t>(seconds * kHertz);
}

TEST(TscClock, FollowsTheCounterAlongItsLine) {
    const TscClock clock(kStart, kWall, kHertz);
    EXPECT_EQ(clock.at(kStart), kWall);
    EXPECT_NEAR(static_cast<double>(clock.at(ticks_after(10)) - kWall), 10e9, 10);
    EXPECT_NEAR(static_cast<double>(clock.at(kStart - 2600) - kWall), -1000, 2);
}

TEST(TscClock, SlewsASmallErrorAwayWithoutAStepOrARunBackwards) {
    TscClock clock(kStart, kWall, kHertz);
    // The wall clock is 4 ms behind the line from now on.
    const auto wall_at = [](double seconds) {
        return kWall + (static_cast<std::int64_t>(seconds * 1e9) - 4 * kMillisecond);
    };
    Nanos last = kWall;
    for (int second = 1; second <= 6; ++second) {
        const Nanos before = clock.at(ticks_after(second));
        clock.discipline(ticks_after(second), wall_at(second));
        const Nanos after = clock.at(ticks_after(second));
        EXPECT_LE(std::abs(after - before), 1) << "a step at second " << second;
        for (int part = 0; part < 100; ++part) {
            const Nanos now = clock.at(ticks_after(second + part / 100.0));
            EXPECT_GE(now, last);
            last = now;
        }
    }
    EXPECT_EQ(clock.epoch(), 0u);
    EXPECT_LT(std::abs(clock.at(ticks_after(7)) - wall_at(7)), 50 * kMicrosecond);
}

TEST(TscClock, SlewsAtMostTenMillisecondsASecond) {
    TscClock clock(kStart, kWall, kHertz);
    clock.discipline(ticks_after(0.1), kWall + kSecond / 10 + 99 * kMillisecond);
    const std::int64_t passed = clock.at(ticks_after(1.1)) - clock.at(ticks_after(0.1));
    EXPECT_NEAR(static_cast<double>(passed), 1e9 + 10e6, 1e4);
}

TEST(TscClock, BeginsAnEpochWhenTheWallClockIsSet) {
    TscClock clock(kStart, kWall, kHertz);
    const Nanos set = kWall + kSecond + 101 * kMillisecond;
    EXPECT_EQ(clock.discipline(ticks_after(1), set), 101 * kMillisecond);
    EXPECT_EQ(clock.epoch(), 1u);
    EXPECT_LE(std::abs(clock.at(ticks_after(1)) - set), 1);
    const Nanos back = set + (kSecond - 3600 * kSecond);
    clock.discipline(ticks_after(2), back);
    EXPECT_EQ(clock.epoch(), 2u);
    EXPECT_LE(std::abs(clock.at(ticks_after(2)) - back), 1);
}

TEST(TscClock, LearnsTheCountersTrueRate) {
    TscClock clock(kStart, kWall, kHertz * 1.00005);  // measured 50 ppm too fast
    for (int second = 1; second <= 20; ++second) {
        clock.discipline(ticks_after(second), kWall + second * kSecond);
    }
    EXPECT_LT(std::abs(clock.at(ticks_after(20.9)) - (kWall + 20'900 * kMillisecond)), kMicrosecond);
}

TEST(TscClock, TheRealOneAgreesWithTheWallClock) {
    const TscClock clock;
    timespec at{};
    clock_gettime(CLOCK_REALTIME, &at);
    const Nanos wall{at.tv_sec * kSecond + at.tv_nsec};
    EXPECT_LT(std::abs(clock.now() - wall), 5 * kMillisecond);
}

TEST(TscClock, ReadersNeverSeeHalfALine) {
    TscClock clock(kStart, kWall, kHertz);
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        // The line swings between two walls an epoch apart; both are right at their own moment.
        for (int i = 0; i < 20000; ++i) clock.discipline(kStart, i % 2 == 0 ? kWall + kSecond : kWall);
        stop = true;
    });
    while (!stop) {
        const std::int64_t offset = clock.at(kStart) - kWall;
        ASSERT_TRUE(offset == 0 || offset == kSecond) << offset;
    }
    writer.join();
}

}  // namespace
}  // namespace seine::runtime
