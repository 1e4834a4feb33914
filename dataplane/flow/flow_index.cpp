// Insertion into the first bucket with room, and erasing that leaves no trace.
#include "dataplane/flow/flow_index.h"

#include <utility>

namespace seine::flow {

Result<FlowIndex> FlowIndex::make(std::uint32_t ids_max) {
    if (ids_max == 0 || ids_max > (1u << 30)) return Status{Code::usage, "flow index: 1 to 2^30 flows"};
    std::uint32_t buckets = 1;
    while (std::uint64_t{buckets} * kSlots * 3 < std::uint64_t{ids_max} * 5) buckets <<= 1;
    auto memory = MappedMemory::make(std::size_t{buckets} * sizeof(Bucket), "flow index");
    if (!memory) return memory.error();
    FlowIndex index;
    index.memory_ = std::move(*memory);
    index.buckets_ = static_cast<Bucket*>(static_cast<void*>(index.memory_.data()));
    index.mask_ = buckets - 1;
    return index;
}

bool FlowIndex::insert(std::uint64_t hash, std::uint32_t id) noexcept {
    const std::uint32_t tag = tag_of(hash);
    std::uint32_t at = tag & mask_;
    for (unsigned probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & mask_) {
        Bucket& bucket = buckets_[at];
        const unsigned room = slots_with(bucket, 0);
        if (room == 0) continue;
        const int slot = std::countr_zero(room);
        bucket.tags[slot] = tag;
        bucket.ids[slot] = id;
        return true;
    }
    return false;
}

void FlowIndex::erase(std::uint64_t hash, std::uint32_t id) noexcept {
    const std::uint32_t tag = tag_of(hash);
    std::uint32_t at = tag & mask_;
    for (unsigned probe = 0; probe < kProbesMax; ++probe, at = (at + 1) & mask_) {
        const Bucket& bucket = buckets_[at];
        for (unsigned hits = slots_with(bucket, tag); hits != 0; hits &= hits - 1) {
            const auto slot = static_cast<unsigned>(std::countr_zero(hits));
            if (bucket.ids[slot] != id) continue;
            fill_hole(at, slot);
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
    std::uint32_t at = hole;
    for (unsigned probe = 0; full && probe < 2 * kProbesMax; ++probe) {
        at = (at + 1) & mask_;
        Bucket& here = buckets_[at];
        full = slots_with(here, 0) == 0;
        for (unsigned i = 0; i < kSlots; ++i) {
            if (here.tags[i] == 0) continue;
            const std::uint32_t from_home = (at - here.tags[i]) & mask_;
            if (from_home < ((at - hole) & mask_)) continue;  // its home lies behind the hole
            buckets_[hole].tags[slot] = here.tags[i];
            buckets_[hole].ids[slot] = here.ids[i];
            here.tags[i] = 0;
            hole = at;
            slot = i;
            break;
        }
    }
}

}  // namespace seine::flow
