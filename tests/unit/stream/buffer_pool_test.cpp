// BufferPool: what it hands out never overlaps, exhaustion is an empty handle, all comes back together.
#include "dataplane/stream/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::stream {
namespace {

std::unique_ptr<BufferPool> make_pool(std::size_t bytes) {
    auto pool = BufferPool::make(bytes);
    EXPECT_TRUE(pool.has_value());
    return std::move(*pool);
}

TEST(BufferPool, OrdersCoverTheSizesAsked) {
    EXPECT_EQ(BufferPool::order_for(1), 0u);
    EXPECT_EQ(BufferPool::order_for(2048), 0u);
    EXPECT_EQ(BufferPool::order_for(2049), 1u);
    EXPECT_EQ(BufferPool::order_for(256 * 1024), 7u);
    EXPECT_EQ(BufferPool::order_for(BufferPool::kSlabBytesMax), BufferPool::kOrderCount - 1);
}

TEST(BufferPool, GivesAnEmptyHandleWhenExhaustedAndWorksAgainAfterwards) {
    const auto pool = make_pool(BufferPool::kSlabBytesMax);
    std::vector<Slab> slabs;
    for (Slab slab = pool->take(0); !slab.empty(); slab = pool->take(0)) slabs.push_back(slab);
    EXPECT_EQ(slabs.size(), BufferPool::kSlabBytesMax / BufferPool::kSlabBytesMin);
    EXPECT_EQ(pool->bytes_used(), pool->bytes_total());
    for (Slab& slab : slabs) pool->give(slab);
    EXPECT_TRUE(slabs.front().empty());
    EXPECT_EQ(pool->bytes_used(), 0u);
    // All joined again: the largest slab that the reserve rule lets out is there.
    EXPECT_FALSE(pool->take(7).empty());
}

TEST(BufferPool, KeepsTheLastQuarterForSmallSlabs) {
    const auto pool = make_pool(4 * BufferPool::kSlabBytesMax);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(pool->take(8).empty());
    EXPECT_TRUE(pool->take(8).empty());
    EXPECT_TRUE(pool->take(BufferPool::kOrderSmallMax + 1).empty());
    EXPECT_FALSE(pool->take(BufferPool::kOrderSmallMax).empty());
    EXPECT_FALSE(pool->take(0).empty());
}

TEST(BufferPool, SlabsNeverOverlapUnderRandomUse) {
    const auto pool = make_pool(8 << 20);
    std::mt19937 random(1);
    struct Held {
        Slab slab;
        std::uint8_t mark;
    };
    std::vector<Held> held;
    held.reserve(8192);
    std::size_t bytes = 0;
    const std::size_t allocations = test::allocation_count();
    for (int step = 0; step < 20000; ++step) {
        if (random() % 5 < 3 || held.empty()) {
            const auto order = static_cast<unsigned>(random() % BufferPool::kOrderCount);
            const Slab slab = pool->take(order);
            if (slab.empty()) continue;
            const auto mark = static_cast<std::uint8_t>(random());
            std::memset(pool->data(slab), mark, 64);
            std::memset(pool->data(slab) + BufferPool::bytes(slab) - 64, mark, 64);
            bytes += BufferPool::bytes(slab);
            held.push_back({slab, mark});
        } else {
            const std::size_t at = random() % held.size();
            Held gone = held[at];
            held[at] = held.back();
            held.pop_back();
            const std::uint8_t* data = pool->data(gone.slab);
            const std::size_t size = BufferPool::bytes(gone.slab);
            for (std::size_t i = 0; i < 64; ++i) {
                ASSERT_EQ(data[i], gone.mark);
                ASSERT_EQ(data[size - 64 + i], gone.mark);
            }
            bytes -= size;
            pool->give(gone.slab);
        }
        ASSERT_EQ(pool->bytes_used(), bytes);
    }
    EXPECT_EQ(test::allocation_count(), allocations);
    for (Held& each : held) pool->give(each.slab);
    EXPECT_EQ(pool->bytes_used(), 0u);
    // Fully joined: as many largest slabs as the quarter rule allows.
    int largest = 0;
    while (!pool->take(8).empty()) ++largest;
    EXPECT_EQ(largest, 12);
}

}  // namespace
}  // namespace seine::stream
