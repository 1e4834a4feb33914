// Commits come late at a steady rate, and in time when it rises.
#include "control/service/ring_fill.h"

#include <gtest/gtest.h>

namespace seine::service {
namespace {

Nanos at_ms(std::int64_t ms) { return {ms * kMillisecond}; }

// How full a ring is when it asks, of one that gains `a_second` after a batch that took `took_ms`.
double asks_at(const RingFill& ring, double left, double a_second, std::int64_t from_ms) {
    for (std::int64_t ms = 1;; ++ms) {
        const double fill = left + a_second * static_cast<double>(ms) / 1000;
        if (ring.presses(fill, at_ms(from_ms + ms))) return fill;
    }
}

TEST(RingFill, AsksAtTheLeastWhereNothingIsKnown) {
    const RingFill ring;
    EXPECT_FALSE(ring.presses(0.25, at_ms(1000)));
    EXPECT_TRUE(ring.presses(0.26, at_ms(1000)));
}

TEST(RingFill, NeverAsksBelowTheLeastAndAlwaysAboveTheMost) {
    RingFill ring;
    ring.batch_made(0.3);
    ring.batch_stored(0.05, 10 * kMillisecond, at_ms(1000));
    EXPECT_FALSE(ring.presses(0.25, at_ms(1001)));
    EXPECT_TRUE(ring.presses(0.51, at_ms(100'000)));
}

TEST(RingFill, AsksLaterTheFasterTheStoreIs) {
    RingFill quick;
    quick.batch_made(0.4);
    quick.batch_stored(0.02, 100 * kMillisecond, at_ms(1000));
    EXPECT_GT(asks_at(quick, 0.02, 0.2, 1000), 0.49);
    RingFill slow;
    slow.batch_made(0.4);
    slow.batch_stored(0.2, 1500 * kMillisecond, at_ms(1000));
    const double fill = asks_at(slow, 0.2, 0.2, 1000);
    EXPECT_LT(fill, 0.4);
    // What comes while it is written still has room.
    EXPECT_LT(fill + 0.2 * 1.5, 1.0);
}

TEST(RingFill, ReckonsThatAFullerBatchTakesLonger) {
    RingFill ring;
    ring.batch_made(0.01);  // a quiet time before
    ring.batch_stored(0, 40 * kMillisecond, at_ms(1000));
    const double a_second = 0.2;
    const double fill = asks_at(ring, 0, a_second, 1000);
    const double write_s = 0.04 * fill / 0.01;
    EXPECT_LE(fill + a_second * write_s, 0.85);
}

}  // namespace
}  // namespace seine::service
