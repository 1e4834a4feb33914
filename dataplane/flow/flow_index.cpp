// Insertion into the first bucket with room, erasing that leaves no trace, growth by one bucket at a time.
#include "dataplane/flow/flow_index.h"

#include <algorithm>
#include <utility>

namespace seine::flow {

Result<FlowIndex> FlowIndex::make(std::uint32_t ids_max) {
    if (ids_max == 0 || ids_max > (1u << 30)) return Status{Code::usage, "flow index: 1 to 2^30 flows"};
    std::uint32_t width_max = 1;
    while (std::uint64_t{width_max} * kSlots * 3 < std::uint64_t{ids_max} * 5) width_max <<= 1;
    // The last homes run on into buckets of their own.
    auto memory = MappedMemory::make((std::size_t{width_max} + kProbesMax) * sizeof(Bucket), "flow index");
    if (!memory) return memory.error();
    FlowIndex index;
    index.memory_ = std::move(*memory);
    index.buckets_ = static_cast<Bucket*>(static_cast<void*>(index.memory_.data()));
    index.width_max_ = width_max;
    index.width_ = std::min(width_max, kWidthFirst);
    return index;
}

std::uint32_t FlowIndex::room_from(std::uint32_t home) const noexcept {
    for (std::uint32_t at = home; at < home + kProbesMax; ++at)
        if (slots_with(buckets_[at], 0) != 0) return at;
    return kNone;
}

void FlowIndex::put(std::uint32_t bucket, std::uint32_t tag, std::uint32_t id) noexcept {
    Bucket& into = buckets_[bucket];
    const int slot = std::countr_zero(slots_with(into, 0));
    into.tags[slot] = tag;
    into.ids[slot] = id;
}

bool FlowIndex::insert(std::uint64_t hash, std::uint32_t id) noexcept {
    const bool growing = split_ != 0 || count_ >= width_ * kLoadMax;
    if (growing && width_ < width_max_) [[unlikely]] {
        for (unsigned i = 0; i < kSplitsAtOnce && split_one(); ++i)
            if (split_ == 0) break;
    }
    const std::uint32_t tag = tag_of(hash);
    const std::uint32_t at = room_from(home_of(tag));
    if (at == kNone) return false;
    put(at, tag, id);
    ++count_;
    return true;
}

void FlowIndex::erase(std::uint64_t hash, std::uint32_t id) noexcept {
    const std::uint32_t tag = tag_of(hash);
    std::uint32_t at = home_of(tag);
    for (unsigned probe = 0; probe < kProbesMax; ++probe, ++at) {
        const Bucket& bucket = buckets_[at];
        for (unsigned hits = slots_with(bucket, tag); hits != 0; hits &= hits - 1) {
            const auto slot = static_cast<unsigned>(std::countr_zero(hits));
            if (bucket.ids[slot] != id) continue;
            fill_hole(at, slot);
            --count_;
            return;
        }
        // A search ends here, so the pair is not in the index: a mistake of the caller.
        SEINE_ASSERT(slots_with(bucket, 0) == 0);
    }
}

// A hole in a full bucket would cut off what lies behind it: the next slot whose search passes here moves in,
// and its own place is the hole then. Ends at a bucket that was not full, where every search ends as well.
void FlowIndex::fill_hole(std::uint32_t bucket, unsigned slot) noexcept {
    std::uint32_t hole = bucket;
    bool full = slots_with(buckets_[hole], 0) == 0;
    buckets_[hole].tags[slot] = 0;
    const std::uint32_t end = width_max_ + kProbesMax;
    for (std::uint32_t at = hole + 1; full && at < end; ++at) {
        Bucket& here = buckets_[at];
        full = slots_with(here, 0) == 0;
        for (unsigned i = 0; i < kSlots; ++i) {
            if (here.tags[i] == 0 || home_of(here.tags[i]) > hole) continue;  // its home lies behind the hole
            buckets_[hole].tags[slot] = here.tags[i];
            buckets_[hole].ids[slot] = here.ids[i];
            here.tags[i] = 0;
            hole = at;
            slot = i;
            break;
        }
    }
}

// The slots at home in bucket `split_` whose tag has the next bit move to its twin: taken out first, so that no
// hole is filled with one that has moved. False when they find no room there: the next insertion tries again.
bool FlowIndex::split_one() noexcept {
    const std::uint32_t from = split_;
    const std::uint32_t twin = from + width_;
    const auto moves = [&](std::uint32_t tag) { return (tag & (2 * width_ - 1)) == twin && tag != 0; };
    // Those of one home lie within kProbesMax buckets of it.
    std::uint32_t count = 0;
    std::uint32_t end = from;
    for (bool full = true; full && end < from + kProbesMax; ++end) {
        for (const std::uint32_t tag : buckets_[end].tags) count += moves(tag) ? 1 : 0;
        full = slots_with(buckets_[end], 0) == 0;
    }
    std::uint32_t room = 0;
    for (std::uint32_t at = twin; room < count; ++at) {
        if (at == twin + kProbesMax) return false;
        room += static_cast<std::uint32_t>(std::popcount(slots_with(buckets_[at], 0)));
    }
    std::uint32_t moved_tags[kProbesMax * kSlots];  // NOLINT: the first `moved` are read
    std::uint32_t moved_ids[kProbesMax * kSlots];   // NOLINT
    std::uint32_t moved = 0;
    for (std::uint32_t at = from; moved < count; ++at) {
        SEINE_ASSERT(at < end);
        Bucket& bucket = buckets_[at];
        for (unsigned slot = 0; slot < kSlots; ++slot) {
            // A hole that was filled holds another one, which may be to move as well.
            while (moves(bucket.tags[slot])) {
                moved_tags[moved] = bucket.tags[slot];
                moved_ids[moved++] = bucket.ids[slot];
                fill_hole(at, slot);
            }
        }
    }
    for (std::uint32_t i = 0; i < moved; ++i) put(room_from(twin), moved_tags[i], moved_ids[i]);
    if (++split_ == width_) {
        width_ *= 2;
        split_ = 0;
    }
    return true;
}

}  // namespace seine::flow
