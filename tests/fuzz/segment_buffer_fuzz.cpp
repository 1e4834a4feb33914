// SegmentBuffer told what to do by the input, and compared with the plain model after every step.
#include <cstdint>
#include <vector>

#include "dataplane/base/assert.h"
#include "dataplane/base/byte_reader.h"
#include "dataplane/stream/segment_buffer.h"
#include "tests/unit/stream/segment_model.h"

namespace {

using seine::ByteReader;
using seine::ByteView;
using namespace seine::stream;

BufferPool& pool() {
    static auto made = BufferPool::make(8 << 20);
    return **made;
}

// A piece: its distance from the base, its length and how much of what is ready gets used.
void add_piece(ByteReader& in, const Room& room, SegmentBuffer& buffer, SegmentModel& model) {
    const std::uint64_t above = in.be16() % 1500;
    const std::uint64_t below = in.u8() % 16;
    const std::size_t length = in.u8();
    const std::uint8_t use = in.u8();
    const std::uint64_t offset = model.base() + above - below;
    std::vector<std::uint8_t> piece(length);
    for (std::size_t i = 0; i < length; ++i) piece[i] = static_cast<std::uint8_t>((offset + i) * 31);
    if (length > 0 && use % 16 == 15) piece[length / 2] ^= 1;
    const Delivery delivery = buffer.add(room, offset, piece);
    const SegmentModel::Answer expected = model.add(offset, piece);
    SEINE_CHECK(delivery.added == expected.added);
    SEINE_CHECK(delivery.conflict == expected.conflict);
    if (delivery.added == Added::ready) {
        SEINE_CHECK(seine::as_text(delivery.ready) == model.ready());
    } else {
        SEINE_CHECK(delivery.ready.empty());
    }
    const std::uint64_t used = use < 128 ? 0 : delivery.ready.size() * (use - 127u) / 100;
    const Added kept = buffer.finish(room, delivery, used);
    SEINE_CHECK(!gave_up(kept));
    model.consume(used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView(data, size));
    const Room room{&pool(), 256u + in.be16() % 1024, 1u + in.u8()};
    const std::uint64_t start = 1'000'000;
    SegmentBuffer buffer(start);
    SegmentModel model(start, room);
    for (int step = 0; step < 300 && !in.empty(); ++step) {
        const std::uint8_t what = in.u8();
        if (what < 200) {
            add_piece(in, room, buffer, model);
        } else if (what < 220) {
            const std::uint64_t count = in.be16() % 600;
            buffer.consume(room, count);
            model.consume(count);
        } else if (what < 240) {
            const std::uint64_t offset = model.base() + 2 - in.u8();
            SEINE_CHECK(buffer.rebase(room, offset) == model.rebase(offset));
        } else if (what < 250) {
            SEINE_CHECK(buffer.skip_gap(room) == model.skip_gap());
        } else {
            buffer.clear(room);
            model.clear();
        }
        SEINE_CHECK(buffer.base() == model.base());
        SEINE_CHECK(buffer.held_bytes() == model.held_bytes());
        SEINE_CHECK(buffer.segment_count() == model.run_count());
        SEINE_CHECK(buffer.highest_end(room) == model.highest_end());
        SEINE_CHECK(seine::as_text(buffer.ready(room)) == model.ready());
    }
    buffer.clear(room);
    SEINE_CHECK(pool().bytes_used() == 0);
    return 0;
}
