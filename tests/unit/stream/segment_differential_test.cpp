// SegmentBuffer against a map of bytes: random pieces, uses, skips, rebases.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "dataplane/stream/segment_buffer.h"
#include "tests/unit/stream/segment_model.h"

namespace seine::stream {
namespace {

struct Shape {
    std::uint32_t bytes_max;
    std::uint32_t segments_max;
    std::uint32_t spread;       // how far past the base pieces begin
    std::uint32_t piece_max;
    int steps;
};

class Differential : public testing::TestWithParam<Shape> {};

TEST_P(Differential, AgreesWithAMapOfBytes) {
    const Shape shape = GetParam();
    auto pool = BufferPool::make(32 << 20);
    ASSERT_TRUE(pool.has_value());
    const Room room{pool->get(), shape.bytes_max, shape.segments_max};
    std::mt19937 random(shape.spread * 7 + shape.piece_max);
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t start = 1'000'000 + random() % 3;
        SegmentBuffer buffer(start);
        SegmentModel model(start, room);
        for (int step = 0; step < shape.steps; ++step) {
            const auto what = random() % 100;
            if (what < 80) {
                std::vector<std::uint8_t> piece(random() % (shape.piece_max + 1));
                std::uint64_t offset = model.base() + random() % shape.spread;
                if (random() % 4 == 0) offset = model.base() + model.ready().size();
                if (random() % 8 == 0) offset -= std::min<std::uint64_t>(random() % 50, offset);
                // Mostly the true byte of the offset, sometimes another.
                for (std::size_t i = 0; i < piece.size(); ++i) {
                    piece[i] = static_cast<std::uint8_t>((offset + i) * 31 + (random() % 200 == 0 ? 1 : 0));
                }
                const Delivery delivery = buffer.add(room, offset, piece);
                const bool borrowed_past_limit = delivery.borrowed && delivery.ready.size() > shape.bytes_max;
                const SegmentModel::Answer expected = model.add(offset, piece);
                if (!borrowed_past_limit) {
                    ASSERT_EQ(added_name(delivery.added), added_name(expected.added));
                    ASSERT_EQ(delivery.conflict, expected.conflict);
                }
                std::uint64_t used = 0;
                if (delivery.added == Added::ready) {
                    if (!borrowed_past_limit) {
                        ASSERT_EQ(as_text(delivery.ready), model.ready());
                    }
                    if (random() % 3 == 0) used = random() % (delivery.ready.size() + 1);
                    if (random() % 20 == 0) used = delivery.ready.size() + random() % 200;
                }
                const Added kept = buffer.finish(room, delivery, used);
                if (borrowed_past_limit) {
                    // The model refuses what the buffer may lend; start both anew.
                    static_cast<void>(kept);
                    buffer.clear(room);
                    buffer = SegmentBuffer(start);
                    model = SegmentModel(start, room);
                    continue;
                }
                ASSERT_FALSE(gave_up(kept));
                model.consume(used);
                if (used > delivery.ready.size()) {
                    ASSERT_EQ(kept == Added::ready, !model.ready().empty());
                }
            } else if (what < 88) {
                const std::uint64_t count = random() % 40;
                buffer.consume(room, count);
                model.consume(count);
            } else if (what < 96) {
                const std::uint64_t offset = model.base() + 2 - random() % 100;
                ASSERT_EQ(buffer.rebase(room, offset), model.rebase(offset));
            } else if (what < 98) {
                ASSERT_EQ(buffer.skip_gap(room), model.skip_gap());
            } else if (random() % 10 == 0) {
                buffer.clear(room);
                model.clear();
            }
            ASSERT_EQ(buffer.base(), model.base());
            ASSERT_EQ(buffer.held_bytes(), model.held_bytes());
            ASSERT_EQ(buffer.segment_count(), model.run_count());
            ASSERT_EQ(buffer.highest_end(room), model.highest_end());
            ASSERT_EQ(as_text(buffer.ready(room)), model.ready());
            ASSERT_EQ(buffer.gap(), model.held_bytes() > 0 && model.ready().empty());
        }
        buffer.clear(room);
        ASSERT_EQ((*pool)->bytes_used(), 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Differential,
                         testing::Values(Shape{4096, 512, 300, 20, 400},     // dense, many small pieces
                                         Shape{4096, 8, 2000, 40, 300},      // segment limit
                                         Shape{1000, 512, 1500, 120, 300},   // byte limit
                                         Shape{65536, 512, 20000, 1460, 80},  // growth over the orders
                                         Shape{4096, 512, 3000, 3, 900}));   // table of runs

}  // namespace
}  // namespace seine::stream
