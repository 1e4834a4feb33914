// The ring between worker and exporter: order, wrap, fullness, two threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/status.h"

namespace seine {
namespace {

bool put(ByteRing& ring, std::uint32_t number, std::size_t bytes) {
    const auto room = ring.reserve(bytes);
    if (room.empty()) return false;
    std::memcpy(room.data(), &number, sizeof number);
    std::memset(room.data() + 4, static_cast<int>(number & 0xff), bytes - 4);
    ring.commit(bytes);
    return true;
}

bool whole(ByteView message, std::uint32_t number) {
    if (load_le32(message.data()) != number) return false;
    for (const std::uint8_t byte : message.subspan(4))
        if (byte != (number & 0xff)) return false;
    return true;
}

TEST(ByteRing, GivesMessagesBackInOrderThroughManyWraps) {
    ByteRing ring(4096);
    std::uint32_t written = 0;
    std::uint32_t read = 0;
    while (read < 20000) {
        while (put(ring, written, 5 + (written * 37) % 900)) ++written;
        ASSERT_GT(written, read);
        for (int i = 0; i < 3 && !ring.front().empty(); ++i) {
            const ByteView message = ring.front();
            ASSERT_EQ(message.size(), 5 + (read * 37) % 900);
            ASSERT_TRUE(whole(message, read));
            ring.release();
            ++read;
        }
    }
}

TEST(ByteRing, BeginsAgainAtTheFrontForAConsumerThatKeepsUp) {
    // Whatever the lengths and however far behind the consumer is, order and bytes stay; one that keeps up never leads the
    // producer further than a small part of the ring.
    constexpr std::size_t kRing = std::size_t{1} << 20;
    for (const std::uint32_t behind : {0u, 1u, 7u, 300u}) {
        ByteRing ring(kRing);
        std::uint32_t read = 0;
        const std::uint8_t* lowest = nullptr;
        std::size_t farthest = 0;
        for (std::uint32_t written = 0; written < 20000; ++written) {
            ASSERT_TRUE(put(ring, written, 5 + (written * 37) % 2900));
            while (written - read >= behind && read <= written) {
                const ByteView message = ring.front();
                ASSERT_EQ(message.size(), 5 + (read * 37) % 2900);
                ASSERT_TRUE(whole(message, read));
                if (lowest == nullptr) lowest = message.data();
                farthest = std::max(farthest, static_cast<std::size_t>(message.data() - lowest));
                ring.release();
                ++read;
            }
        }
        if (behind == 0) {
            EXPECT_LT(farthest, kRing / 4);
        }
        if (behind == 300) {
            EXPECT_GT(farthest, kRing / 2);
        }
    }
}

TEST(ByteRing, CommitsLessThanWasReserved) {
    ByteRing ring(4096);
    const auto room = ring.reserve(1000);
    ASSERT_EQ(room.size(), 1000u);
    room[0] = 7;
    ring.commit(1);
    EXPECT_EQ(ring.front().size(), 1u);
    EXPECT_EQ(ring.front()[0], 7);
    ring.release();
    EXPECT_TRUE(ring.front().empty());
    EXPECT_EQ(ring.room(), ring.capacity());
}

TEST(ByteRing, RefusesWhatNeverFitsAndWhatDoesNotFitNow) {
    ByteRing ring(4096);
    EXPECT_TRUE(ring.reserve(5000).empty());
    EXPECT_TRUE(put(ring, 1, 3000));
    EXPECT_FALSE(put(ring, 2, 3000));
    static_cast<void>(ring.front());
    ring.release();
    EXPECT_TRUE(put(ring, 2, 3000));
    EXPECT_TRUE(whole(ring.front(), 2));
}

TEST(ByteRing, TwoThreadsLoseAndTearNothing) {
    ByteRing ring(1 << 14);
    constexpr std::uint32_t kCount = 50000;
    std::thread producer([&] {
        for (std::uint32_t i = 0; i < kCount;)
            if (put(ring, i, 8 + i % 200)) ++i;
            else std::this_thread::yield();
    });
    std::uint32_t read = 0;
    std::uint32_t torn = 0;
    while (read < kCount) {
        const ByteView message = ring.front();
        if (message.empty()) {
            std::this_thread::yield();
            continue;
        }
        torn += whole(message, read) ? 0 : 1;
        ring.release();
        ++read;
    }
    producer.join();
    EXPECT_EQ(torn, 0u);
    EXPECT_TRUE(ring.front().empty());
}

TEST(Result, HoldsAValueOrTheStatusThatSaysWhy) {
    const Result<int> good(7);
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, 7);
    const Result<int> bad(failed("port 3 is down"));
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), Code::failed);
    EXPECT_EQ(bad.error().message(), "port 3 is down");
}

}  // namespace
}  // namespace seine
