// SpscQueue: full is full, order is kept, and nothing is lost between two threads.
#include "dataplane/base/spsc_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace seine {
namespace {

TEST(SpscQueue, IsBoundedAndKeepsOrder) {
    SpscQueue<int> queue(3);
    EXPECT_TRUE(queue.empty());
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(i));
    EXPECT_FALSE(queue.push(4));
    int one = -1;
    ASSERT_TRUE(queue.pop(one));
    EXPECT_EQ(one, 0);
    std::array<int, 8> out{};
    ASSERT_EQ(queue.pop(out), 3u);
    EXPECT_EQ(out[0], 1);
    EXPECT_EQ(out[2], 3);
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(queue.pop(one));
}

TEST(SpscQueue, CarriesEveryItemFromOneThreadToAnother) {
    constexpr std::uint64_t kItems = 20000;
    SpscQueue<std::uint64_t> queue(16);
    std::thread pusher([&] {
        for (std::uint64_t i = 1; i <= kItems; ++i)
            while (!queue.push(i)) std::this_thread::yield();
    });
    std::uint64_t next = 1;
    std::array<std::uint64_t, 5> out{};
    while (next <= kItems) {
        const std::size_t got = queue.pop(out);
        if (got == 0) std::this_thread::yield();
        for (std::size_t i = 0; i < got; ++i) EXPECT_EQ(out[i], next++);
    }
    pusher.join();
    EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace seine
