// SegmentBuffer by its rules, one behaviour a test.
#include "dataplane/stream/segment_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::stream {
namespace {

class SegmentBufferTest : public testing::Test {
  protected:
    void SetUp() override {
        auto made = BufferPool::make(16 << 20);
        ASSERT_TRUE(made.has_value());
        pool = std::move(*made);
        room.pool = pool.get();
    }
    Delivery add(std::uint64_t offset, std::string_view text) {
        return buffer.add(room, offset, as_bytes(text));
    }
    // Adds and uses nothing.
    Added put(std::uint64_t offset, std::string_view text) {
        const Delivery delivery = add(offset, text);
        const Added kept = buffer.finish(room, delivery, 0);
        return gave_up(kept) ? kept : delivery.added;
    }
    // The same where the answer is no part of the test.
    void hold(std::uint64_t offset, std::string_view text) {
        ASSERT_FALSE(gave_up(put(offset, text)));
    }
    std::string ready() { return std::string(as_text(buffer.ready(room))); }

    std::unique_ptr<BufferPool> pool;
    Room room;
    SegmentBuffer buffer;
};

TEST_F(SegmentBufferTest, IsSmallAndHoldsNoSlabWhenEmpty) {
    EXPECT_LE(sizeof(SegmentBuffer), 64u);
    EXPECT_EQ(buffer.finish(room, add(0, "abc"), 3), Added::empty);
    EXPECT_EQ(pool->bytes_used(), 0u);
    EXPECT_EQ(buffer.base(), 3u);
}

TEST_F(SegmentBufferTest, InOrderBytesAreAViewOfTheFrame) {
    const std::string frame = "hello world";
    const Delivery delivery = add(0, frame);
    EXPECT_EQ(delivery.added, Added::ready);
    EXPECT_TRUE(delivery.borrowed);
    EXPECT_EQ(static_cast<const void*>(delivery.ready.data()), static_cast<const void*>(frame.data()));
    EXPECT_EQ(buffer.finish(room, delivery, 6), Added::waiting);
    EXPECT_EQ(ready(), "world");
    EXPECT_EQ(buffer.held_bytes(), 5u);
    EXPECT_EQ(pool->bytes_used(), BufferPool::kSlabBytesMin);
}

TEST_F(SegmentBufferTest, NeverNeedsTheFirstPieceFirst) {
    EXPECT_EQ(put(6, "world"), Added::waiting);
    EXPECT_TRUE(buffer.gap());
    EXPECT_EQ(ready(), "");
    const Delivery delivery = add(0, "hello ");
    EXPECT_EQ(delivery.added, Added::ready);
    EXPECT_FALSE(delivery.borrowed);
    EXPECT_EQ(as_text(delivery.ready), "hello world");
    EXPECT_EQ(buffer.finish(room, delivery, 11), Added::empty);
    EXPECT_EQ(pool->bytes_used(), 0u);
}

TEST_F(SegmentBufferTest, FirstByteReceivedWinsAndAConflictIsTold) {
    hold(0, "aaaa");
    const Delivery same = add(2, "aabb");
    EXPECT_TRUE(same.overlap);
    EXPECT_FALSE(same.conflict);
    EXPECT_EQ(as_text(same.ready), "aaaabb");
    const Delivery other = add(3, "XXXcc");
    EXPECT_TRUE(other.conflict);
    EXPECT_EQ(other.added, Added::ready);
    EXPECT_EQ(as_text(other.ready), "aaaabbcc");
}

TEST_F(SegmentBufferTest, DuplicatesBringNothing) {
    hold(0, "abcd");
    hold(8, "ijkl");
    EXPECT_EQ(put(0, "abcd"), Added::duplicate);
    EXPECT_EQ(put(9, "jk"), Added::duplicate);
    const Delivery wrong = add(9, "XX");
    EXPECT_EQ(wrong.added, Added::duplicate);
    EXPECT_TRUE(wrong.conflict);
    buffer.consume(room, 4);
    EXPECT_EQ(put(0, "abcd"), Added::below_base);
    EXPECT_EQ(put(4, ""), Added::empty);
    EXPECT_EQ(buffer.held_bytes(), 4u);
}

TEST_F(SegmentBufferTest, SkippedBytesNeverBlockAndAreNeverStored) {
    const Delivery head = add(0, "HEAD body-");
    // A body of 2^40 bytes follows the head.
    EXPECT_EQ(buffer.finish(room, head, 5 + (std::uint64_t{1} << 40)), Added::empty);
    EXPECT_EQ(put(100000, "somewhere in the body"), Added::below_base);
    EXPECT_EQ(pool->bytes_used(), 0u);
    const std::uint64_t next = 5 + (std::uint64_t{1} << 40);
    EXPECT_EQ(buffer.base(), next);
    const Delivery edge = add(next - 4, "bodyNEXT");
    EXPECT_EQ(edge.added, Added::ready);
    EXPECT_TRUE(edge.borrowed);
    EXPECT_EQ(as_text(edge.ready), "NEXT");
    EXPECT_EQ(buffer.finish(room, edge, std::uint64_t{1} << 63), Added::empty);
    EXPECT_EQ(buffer.base(), next + (std::uint64_t{1} << 63));
}

TEST_F(SegmentBufferTest, ASkipThatEndsInHeldBytesMakesThemReady) {
    hold(0, "HEAD");
    hold(10, "NEXT");
    const Delivery rest = add(4, "bod");
    EXPECT_EQ(as_text(rest.ready), "HEADbod");
    EXPECT_EQ(buffer.finish(room, rest, 11), Added::ready);
    EXPECT_EQ(ready(), "EXT");
}

TEST_F(SegmentBufferTest, BytesPastTheWindowAreRefusedAndNothingChanges) {
    room.bytes_max = 1000;
    EXPECT_EQ(put(999, "x"), Added::waiting);
    EXPECT_EQ(put(999, "xy"), Added::limit_bytes);
    EXPECT_EQ(put(1000, "x"), Added::limit_bytes);
    EXPECT_EQ(put(std::numeric_limits<std::uint64_t>::max(), "xy"), Added::limit_bytes);
    EXPECT_EQ(buffer.held_bytes(), 1u);
    buffer.clear(room);
    // A piece that is used at once may be longer than what may be held; its rest may not.
    const std::string large(1500, 'L');
    EXPECT_EQ(buffer.finish(room, add(0, large), 500), Added::waiting);
    EXPECT_EQ(buffer.held_bytes(), 1000u);
    buffer.clear(room);
    EXPECT_EQ(buffer.finish(room, add(500, large), 499), Added::limit_bytes);
}

TEST_F(SegmentBufferTest, DisjointRunsAreBounded) {
    for (std::uint64_t i = 0; i < 512; ++i) ASSERT_EQ(put(1 + 2 * i, "x"), Added::waiting);
    EXPECT_EQ(buffer.segment_count(), 512u);
    EXPECT_EQ(put(1 + 2 * 512, "x"), Added::limit_segments);
    EXPECT_EQ(put(2, "y"), Added::waiting);  // joins two
    EXPECT_EQ(buffer.segment_count(), 511u);
    EXPECT_EQ(put(1 + 2 * 512, "x"), Added::waiting);
    for (std::uint64_t i = 0; i <= 512; ++i) static_cast<void>(put(2 * i, "z"));
    EXPECT_EQ(buffer.segment_count(), 1u);
    EXPECT_EQ(buffer.ready(room).size(), 1026u);
    buffer.clear(room);
    EXPECT_EQ(pool->bytes_used(), 0u);
}

TEST_F(SegmentBufferTest, ExhaustionIsToldAndLeavesWhatIsHeld) {
    std::vector<Slab> taken;
    hold(10, "held");
    for (Slab slab = pool->take(0); !slab.empty(); slab = pool->take(0)) taken.push_back(slab);
    EXPECT_EQ(put(5000, "far"), Added::pool_exhausted);
    EXPECT_EQ(put(0, "0123456789"), Added::ready);
    EXPECT_EQ(ready(), "0123456789held");
    SegmentBuffer other;
    EXPECT_EQ(other.add(room, 5, as_bytes("x")).added, Added::pool_exhausted);
    const Delivery in_order = other.add(room, 0, as_bytes("abc"));
    EXPECT_EQ(in_order.added, Added::ready);
    EXPECT_EQ(other.finish(room, in_order, 1), Added::pool_exhausted);
}

TEST_F(SegmentBufferTest, RunsBeyondTheInlineOnesFailWithoutASlab) {
    for (std::uint64_t i = 0; i < 4; ++i) ASSERT_EQ(put(1 + 2 * i, "x"), Added::waiting);
    while (!pool->take(0).empty()) {}
    EXPECT_EQ(put(9, "x"), Added::pool_exhausted);
    EXPECT_EQ(buffer.segment_count(), 4u);
}

TEST_F(SegmentBufferTest, RebaseTakesBytesBeforeTheFirstSeen) {
    buffer = SegmentBuffer(1000);
    hold(1000, "world");
    EXPECT_TRUE(buffer.rebase(room, 994));
    EXPECT_TRUE(buffer.gap());
    EXPECT_EQ(put(994, "hello "), Added::ready);
    EXPECT_EQ(ready(), "hello world");
    EXPECT_FALSE(buffer.rebase(room, 995));
    buffer.consume(room, 1);
    EXPECT_FALSE(buffer.rebase(room, 990));
    EXPECT_EQ(buffer.base(), 995u);
}

TEST_F(SegmentBufferTest, AStreamSeenBackwardsComesOutForwards) {
    constexpr std::uint64_t kStart = 100000;
    constexpr int kBytes = 70000;
    buffer = SegmentBuffer(kStart);
    std::string expected;
    for (int i = 0; i < kBytes; ++i) expected.push_back(static_cast<char>('a' + i % 23));
    hold(kStart, expected.substr(kBytes - 7));
    for (int at = kBytes - 14; at >= 0; at -= 7) {
        const std::uint64_t offset = kStart - static_cast<std::uint64_t>(kBytes - 7 - at);
        ASSERT_TRUE(buffer.rebase(room, offset));
        ASSERT_EQ(put(offset, expected.substr(static_cast<std::size_t>(at), 7)), Added::ready);
    }
    EXPECT_EQ(ready(), expected);
    EXPECT_FALSE(buffer.rebase(room, kStart - 256 * 1024));  // window
}

TEST_F(SegmentBufferTest, GapsCanBeGivenUp) {
    hold(100, "late");
    EXPECT_EQ(buffer.skip_gap(room), 100u);
    EXPECT_EQ(ready(), "late");
    EXPECT_EQ(buffer.skip_gap(room), 0u);
    EXPECT_EQ(buffer.highest_end(room), 104u);
    EXPECT_EQ(buffer.contiguous_end(room), 104u);
}

TEST_F(SegmentBufferTest, TheWholeWindowStaysUsableWhileBytesAreConsumed) {
    // Always full to the last byte while it wanders up: worst case for moving bytes.
    const std::string block(1024, 'b');
    std::uint64_t top = 0;
    for (; top < room.bytes_max; top += 1024) ASSERT_EQ(put(top, block), Added::ready);
    for (int i = 0; i < 3000; ++i) {
        ASSERT_EQ(put(top, block), Added::limit_bytes);
        buffer.consume(room, 1024);
        ASSERT_EQ(put(top, block), Added::ready);
        top += 1024;
        ASSERT_EQ(buffer.held_bytes(), room.bytes_max);
    }
    EXPECT_LE(pool->bytes_used(), BufferPool::kSlabBytesMax);
    buffer.clear(room);
    EXPECT_EQ(pool->bytes_used(), 0u);
}

TEST_F(SegmentBufferTest, AllocatesNothing) {
    const std::size_t before = test::allocation_count();
    const std::string_view piece = "0123456789";
    for (std::uint64_t i = 200; i > 0; --i) static_cast<void>(put(i * 20, piece));
    static_cast<void>(put(0, piece));
    buffer.consume(room, 10);
    buffer.clear(room);
    EXPECT_EQ(test::allocation_count(), before);
}

TEST(AddedNames, AreThoseOfTheTable) {
    EXPECT_EQ(added_name(Added::limit_segments), "limit_segments");
    EXPECT_TRUE(gave_up(Added::pool_exhausted));
    EXPECT_FALSE(gave_up(Added::empty));
}

}  // namespace
}  // namespace seine::stream
