// Runs of held bytes in one slab; where they stand, how they merge and when they move.
#include "dataplane/stream/segment_buffer.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "dataplane/base/assert.h"

namespace seine::stream {

// A run in a slab is 8 bytes; the largest table is 4 KiB.
static_assert(512 * 8 <= 2 * BufferPool::kSlabBytesMin);

std::string_view added_name(Added added) noexcept {
    switch (added) {
#define SEINE_X(id, meaning) \
    case Added::id: return #id;
        SEINE_ADDED(SEINE_X)
#undef SEINE_X
    }
    return "unknown";
}

SegmentBuffer::Run* SegmentBuffer::runs(const Room& room) noexcept {
    if (table_.empty()) return inline_;
    return static_cast<Run*>(static_cast<void*>(room.pool->data(table_)));
}

const SegmentBuffer::Run* SegmentBuffer::runs(const Room& room) const noexcept {
    if (table_.empty()) return inline_;
    return static_cast<const Run*>(static_cast<const void*>(room.pool->data(table_)));
}

ByteView SegmentBuffer::ready(const Room& room) const noexcept {
    if (!first_is_ready_) return {};
    const Run& first = runs(room)[0];
    return {room.pool->data(data_) + first.begin, first.end - first.begin};
}

std::uint64_t SegmentBuffer::highest_end(const Room& room) const noexcept {
    return count_ == 0 ? base_ : base_ + (runs(room)[count_ - 1].end - head_);
}

SegmentBuffer::Touched SegmentBuffer::touched(const Room& room, std::uint32_t begin,
                                              std::uint32_t end) const noexcept {
    const Run* all = runs(room);
    const Run* first = std::partition_point(all, all + count_, [&](const Run& r) { return r.end < begin; });
    const Run* last = std::partition_point(first, all + count_, [&](const Run& r) { return r.begin <= end; });
    return {static_cast<std::uint32_t>(first - all), static_cast<std::uint32_t>(last - all)};
}

Delivery SegmentBuffer::add(const Room& room, std::uint64_t offset, ByteView bytes) noexcept {
    SEINE_ASSERT(room.bytes_max <= BufferPool::kSlabBytesMax / 2 && room.segments_max <= 512);
    Delivery out;
    if (bytes.empty()) return out;
    if (bytes.size() > std::numeric_limits<std::uint64_t>::max() - offset) {
        out.added = Added::limit_bytes;
        return out;
    }
    if (offset < base_) {
        out.overlap = true;
        const std::uint64_t below = base_ - offset;
        if (below >= bytes.size()) {
            out.added = Added::below_base;
            return out;
        }
        bytes = bytes.subspan(below);
        offset = base_;
    }
    if (count_ == 0 && offset == base_) {
        out.added = Added::ready;
        out.borrowed = true;
        out.ready = bytes;
        return out;
    }
    out.added = keep(room, offset, bytes, out);
    if (out.added == Added::ready) out.ready = ready(room);
    return out;
}

// Copies a piece that begins at or past the base into the slab.
Added SegmentBuffer::keep(const Room& room, std::uint64_t offset, ByteView bytes, Delivery& out) noexcept {
    if (offset - base_ > room.bytes_max || bytes.size() > room.bytes_max - (offset - base_)) {
        return Added::limit_bytes;
    }
    const auto distance = static_cast<std::uint32_t>(offset - base_);
    const auto length = static_cast<std::uint32_t>(bytes.size());
    const Touched met = touched(room, head_ + distance, head_ + distance + length);
    const std::uint32_t count_after = count_ - (met.last - met.first) + 1;
    if (count_after > count_ && count_after > room.segments_max) return Added::limit_segments;
    if (!reserve(room, distance + length) || !ensure_runs(room, count_after)) return Added::pool_exhausted;
    const std::uint32_t held_before = held_;
    const std::uint64_t end_before = contiguous_end(room);
    merge(room, met, head_ + distance, bytes, out);
    if (held_ == held_before) return Added::duplicate;
    refresh(room);
    return contiguous_end(room) > end_before ? Added::ready : Added::waiting;
}

// Joins the piece and the runs it meets into one run; bytes held already stay as they are.
void SegmentBuffer::merge(const Room& room, Touched met, std::uint32_t begin, ByteView bytes,
                          Delivery& out) noexcept {
    Run* all = runs(room);
    std::uint8_t* slab = room.pool->data(data_);
    const std::uint32_t end = begin + static_cast<std::uint32_t>(bytes.size());
    Run joined{begin, end};
    std::uint32_t at = begin;
    for (std::uint32_t i = met.first; i < met.last; ++i) {
        const Run run = all[i];
        if (run.begin > at) std::memcpy(slab + at, bytes.data() + (at - begin), run.begin - at);
        const std::uint32_t common_begin = std::max(run.begin, begin);
        const std::uint32_t common_end = std::min(run.end, end);
        if (common_begin < common_end) {
            out.overlap = true;
            if (std::memcmp(slab + common_begin, bytes.data() + (common_begin - begin),
                            common_end - common_begin) != 0) {
                out.conflict = true;
            }
        }
        at = std::max(at, common_end);
        held_ -= run.end - run.begin;
        joined = {std::min(joined.begin, run.begin), std::max(joined.end, run.end)};
    }
    if (at < end) std::memcpy(slab + at, bytes.data() + (at - begin), end - at);
    held_ += joined.end - joined.begin;
    const std::uint32_t tail = count_ - met.last;
    std::memmove(all + met.first + 1, all + met.last, tail * sizeof(Run));
    all[met.first] = joined;
    count_ = static_cast<std::uint16_t>(met.first + 1 + tail);
}

// Makes positions up to head_ + window exist. Held bytes move only when as many were consumed since the
// last move, or when the slab doubles; so moving costs O(1) a byte whatever arrives in whatever order.
bool SegmentBuffer::reserve(const Room& room, std::uint32_t window) noexcept {
    const std::size_t capacity = BufferPool::bytes(data_);
    if (std::size_t{head_} + window <= capacity) return true;
    const bool fits = window <= capacity;
    if (fits && head_ >= held_) {
        move_to(room, data_, 0);
        return true;
    }
    const unsigned order = fits ? data_.order() + 1 : BufferPool::order_for(window);
    const Slab larger = room.pool->take(order);
    if (!larger.empty()) {
        move_to(room, larger, 0);
        return true;
    }
    if (fits) move_to(room, data_, 0);  // dear, but the pool has nothing better
    return fits;
}

// Moves every run so that the base stands at `head` of `target`, which may be the slab it is in.
void SegmentBuffer::move_to(const Room& room, Slab target, std::uint32_t head) noexcept {
    Run* all = runs(room);
    std::uint8_t* to = room.pool->data(target);
    const std::uint32_t delta = head - head_;  // modulo 2^32
    const auto move_one = [&](Run& run) {
        std::memmove(to + static_cast<std::uint32_t>(run.begin + delta),
                     room.pool->data(data_) + run.begin, run.end - run.begin);
        run = {run.begin + delta, run.end + delta};
    };
    if (head < head_) {
        for (std::uint32_t i = 0; i < count_; ++i) move_one(all[i]);
    } else {
        for (std::uint32_t i = count_; i > 0; --i) move_one(all[i - 1]);
    }
    if (target != data_) {
        room.pool->give(data_);
        data_ = target;
    }
    head_ = head;
}

bool SegmentBuffer::ensure_runs(const Room& room, std::uint32_t count) noexcept {
    const std::size_t capacity = table_.empty() ? kRunsInline : BufferPool::bytes(table_) / sizeof(Run);
    if (count <= capacity) return true;
    Slab larger = room.pool->take(BufferPool::order_for(count * sizeof(Run)));
    if (larger.empty()) return false;
    std::memcpy(room.pool->data(larger), runs(room), count_ * sizeof(Run));
    room.pool->give(table_);
    table_ = larger;
    return true;
}

// After runs changed: gives slabs back that are not needed and notes whether the base is held.
void SegmentBuffer::refresh(const Room& room) noexcept {
    if (count_ == 0) {
        room.pool->give(data_);
        room.pool->give(table_);
        head_ = 0;
        held_ = 0;
        first_is_ready_ = false;
        return;
    }
    if (!table_.empty() && count_ <= kRunsInline / 2) {
        std::memcpy(inline_, runs(room), count_ * sizeof(Run));
        room.pool->give(table_);
    }
    first_is_ready_ = runs(room)[0].begin == head_;
}

Added SegmentBuffer::finish(const Room& room, const Delivery& delivery, std::uint64_t used) noexcept {
    if (!delivery.borrowed) {
        consume(room, used);
        if (count_ == 0) return Added::empty;
        return used > delivery.ready.size() && first_is_ready_ ? Added::ready : Added::waiting;
    }
    SEINE_ASSERT(count_ == 0);
    consume(room, used);
    if (used >= delivery.ready.size()) return Added::empty;
    Delivery rest;
    const Added kept = keep(room, base_, delivery.ready.subspan(used), rest);
    return gave_up(kept) ? kept : Added::waiting;
}

void SegmentBuffer::consume(const Room& room, std::uint64_t count) noexcept {
    if (count == 0) return;
    consumed_ = true;
    base_ = count > std::numeric_limits<std::uint64_t>::max() - base_
                ? std::numeric_limits<std::uint64_t>::max()
                : base_ + count;
    if (count_ == 0) return;
    Run* all = runs(room);
    const std::uint64_t head = count > BufferPool::kSlabBytesMax ? BufferPool::kSlabBytesMax * 2
                                                                 : head_ + count;
    std::uint32_t gone = 0;
    while (gone < count_ && all[gone].end <= head) {
        held_ -= all[gone].end - all[gone].begin;
        ++gone;
    }
    if (gone < count_ && all[gone].begin < head) {
        held_ -= static_cast<std::uint32_t>(head) - all[gone].begin;
        all[gone].begin = static_cast<std::uint32_t>(head);
    }
    count_ = static_cast<std::uint16_t>(count_ - gone);
    if (gone > 0) std::memmove(all, all + gone, count_ * sizeof(Run));
    if (count_ > 0) head_ = static_cast<std::uint32_t>(head);
    refresh(room);
}

bool SegmentBuffer::rebase(const Room& room, std::uint64_t offset) noexcept {
    if (consumed_ || offset > base_) return false;
    if (count_ == 0 || offset == base_) {
        base_ = offset;
        return true;
    }
    const std::uint32_t span = runs(room)[count_ - 1].end - head_;
    if (base_ - offset > room.bytes_max || span > room.bytes_max - (base_ - offset)) return false;
    const auto down = static_cast<std::uint32_t>(base_ - offset);
    if (head_ < down) {
        // Room below for as much again as is held, so that a stream seen backwards costs O(1) a byte.
        const std::uint32_t slack = held_;
        const std::size_t capacity = BufferPool::bytes(data_);
        if (capacity >= std::size_t{slack} + down + span) {
            move_to(room, data_, slack + down);
        } else if (const Slab larger = room.pool->take(BufferPool::order_for(std::size_t{slack} + down + span));
                   !larger.empty()) {
            move_to(room, larger, slack + down);
        } else if (capacity >= std::size_t{down} + span) {
            move_to(room, data_, down);
        } else {
            return false;
        }
    }
    head_ -= down;
    base_ = offset;
    refresh(room);
    return true;
}

std::uint64_t SegmentBuffer::skip_gap(const Room& room) noexcept {
    if (!gap()) return 0;
    const std::uint64_t bytes = runs(room)[0].begin - head_;
    consume(room, bytes);
    return bytes;
}

void SegmentBuffer::clear(const Room& room) noexcept {
    count_ = 0;
    if (!data_.empty() || !table_.empty()) refresh(room);
    held_ = 0;
    first_is_ready_ = false;
}

}  // namespace seine::stream
