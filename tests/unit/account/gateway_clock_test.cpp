// Clock offsets: learned from few samples, not led astray by slow clients, quick to follow a step.
#include "control/account/gateway_clock.h"

#include <gtest/gtest.h>

namespace seine::account {
namespace {

TEST(GatewayClock, ThreadOfNoiseDoesNotMoveIt) {
    GatewayClock clock;
    std::uint64_t state = 1;
    for (int i = 0; i < 1000; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        // Every third sample is a request on an old connection: up to ten minutes late.
        const auto noise = static_cast<std::int64_t>(state >> 33) % (i % 3 == 0 ? 600'000 : 300);
        static_cast<void>(clock.sample(-7 * kSecond + noise * kMillisecond, kSecond));
    }
    ASSERT_TRUE(clock.learned());
    EXPECT_GE(clock.offset_ns(), -7 * kSecond);
    EXPECT_LE(clock.offset_ns(), -7 * kSecond + 300 * kMillisecond);
}

TEST(GatewayClock, TwoSamplesAreNotEnough) {
    GatewayClock clock;
    EXPECT_FALSE(clock.sample(5 * kSecond, kSecond));
    EXPECT_FALSE(clock.sample(5 * kSecond, kSecond));
    EXPECT_FALSE(clock.learned());
    EXPECT_TRUE(clock.sample(5 * kSecond, kSecond));
    EXPECT_EQ(clock.offset_ns(), 5 * kSecond);
}

TEST(GatewayClock, FollowsAStep) {
    GatewayClock clock;
    for (int i = 0; i < 100; ++i) static_cast<void>(clock.sample(0, kSecond));
    int jumps = 0;
    for (int i = 0; i < 64; ++i) jumps += clock.sample(3600 * kSecond, kSecond) ? 1 : 0;
    EXPECT_EQ(jumps, 1);
    EXPECT_EQ(clock.offset_ns(), 3600 * kSecond);
}

}  // namespace
}  // namespace seine::account
