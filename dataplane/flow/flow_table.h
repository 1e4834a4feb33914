// FlowTable<Hot>: live flows of one worker, preallocated; stable ids, batch lookup, stated eviction.
#pragma once
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include "dataplane/base/assert.h"
#include "dataplane/base/mapped_memory.h"
#include "dataplane/flow/flow_index.h"
#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/id_set.h"

namespace seine::flow {

using FlowId = std::uint32_t;
inline constexpr FlowId kNoFlow = 0xffffffff;

// Coarse time of the caller (for instance milliseconds), modulo 2^32; compared by difference.
using Ticks = std::uint32_t;

//   index: buckets of 64 B, eight {tag, id}          entries: one per flow, at most 128 B
//   +------------------------------+                 +-----------------------------------------+
//   | 8 x 32-bit tag | 8 x 32-bit id| ----- id -----> | key 40 | seen 4 | state 4 | Hot (80 max) |
//   +------------------------------+                 +-----------------------------------------+
//
// A lookup costs one line of the index and the first line of the entry; both can be asked for ahead in
// two stages, so that a burst of 32 to 64 packets waits for memory once. The first 16 bytes of Hot lie
// in that same line. 10 million flows take 1.28 GB of entries and 0.13 GB of index.
//
// Ids stay what they are until erase() or eviction. One thread; allocates nothing after make().
//
// Eviction, when insert() finds the table full: the half-open flow a hand reaches next, and since the
// newcomer takes the victim's place behind the hand, in a flood that is the oldest. When half-open flows
// hold less than a share of the table, it is others that fill it, and the few are clients at their
// handshake: then the longest unseen of the next kEvictionSample flows from the hand.
template <typename Hot>
class FlowTable {
    static_assert(std::is_trivially_destructible_v<Hot>);

    struct Entry {
        FlowKey key;
        Ticks seen;
        std::uint8_t live;
        std::uint8_t half_open;
        Hot hot;
    };
    static constexpr std::size_t kLine = 64;
    static constexpr std::size_t kStride = (sizeof(Entry) + kLine - 1) / kLine * kLine;

  public:
    static constexpr unsigned kEvictionSample = 16;
    static constexpr unsigned kHalfOpenShare = 16;  // one in so many
    static constexpr std::size_t kEntryBytes = kStride;

    // Room for exactly `flows_max` flows, at least one. `seed` keys the hash.
    static Result<std::unique_ptr<FlowTable>> make(std::uint32_t flows_max, std::uint64_t seed);

    [[nodiscard]] std::uint64_t hash(const FlowKey& key) const noexcept { return hash_key(key, seed_); }

    // Batch lookup: for all packets prefetch_index, then for all prefetch_entry, then for all find. The
    // answer of prefetch_entry is a guess (kNoFlow: surely absent at that moment) and goes into find.
    void prefetch_index(std::uint64_t hash) const noexcept { index_.prefetch(hash); }
    [[nodiscard]] FlowId prefetch_entry(std::uint64_t hash) const noexcept;
    // The guess when it is the flow of `key`, else kNoFlow, which says nothing.
    [[nodiscard]] FlowId confirm(const FlowKey& key, FlowId guess) const noexcept {
        return guess < fresh_ && entry(guess).key == key && entry(guess).live != 0 ? guess : kNoFlow;
    }
    // kNoFlow when absent. A wrong or outdated guess only costs time.
    [[nodiscard]] FlowId find(const FlowKey& key, std::uint64_t hash, FlowId guess = kNoFlow) const noexcept;

    // Adds a flow that find() has just missed; it starts half-open, seen now, with Hot{}. When the table
    // is full `evict(FlowId)` is called first, with the victim intact; it must not insert or erase.
    // kNoFlow only when the index finds no place within its bound, which takes a known seed.
    template <typename Evict>
    FlowId insert(const FlowKey& key, std::uint64_t hash, Ticks now, Evict&& evict) noexcept;
    void erase(FlowId id) noexcept;

    [[nodiscard]] Hot& operator[](FlowId id) noexcept { return live_entry(id).hot; }
    [[nodiscard]] const Hot& operator[](FlowId id) const noexcept { return live_entry(id).hot; }
    [[nodiscard]] const FlowKey& key(FlowId id) const noexcept { return live_entry(id).key; }
    // Last time of touch(); half-open flows are the first to go.
    [[nodiscard]] Ticks seen(FlowId id) const noexcept { return live_entry(id).seen; }
    void touch(FlowId id, Ticks now) noexcept { live_entry(id).seen = now; }
    void set_half_open(FlowId id, bool half_open) noexcept;
    [[nodiscard]] bool half_open(FlowId id) const noexcept { return live_entry(id).half_open != 0; }

    // Asks for both lines of an entry, for instance ahead of a timer's visit.
    void prefetch_flow(FlowId id) const noexcept {
        const std::uint8_t* at = entries_.data() + id * kStride;
        __builtin_prefetch(at);
        if constexpr (kStride > kLine) __builtin_prefetch(at + kLine);
    }
    [[nodiscard]] bool live(FlowId id) const noexcept { return id < fresh_ && entry(id).live != 0; }
    // Every id is below this; a walk over all flows asks live() of each.
    [[nodiscard]] FlowId ids_end() const noexcept { return fresh_; }
    // Ids that were confirmed stay what they are until this moves.
    [[nodiscard]] std::uint64_t erased_count() const noexcept { return erased_; }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::uint32_t half_open_count() const noexcept { return half_open_.size(); }
    // Whether half-open flows hold more of the table than they are left.
    [[nodiscard]] bool flooded() const noexcept { return half_open_.size() > capacity_ / kHalfOpenShare; }
    [[nodiscard]] std::size_t bytes() const noexcept { return entries_.bytes() + index_.bytes(); }

  private:
    FlowTable(MappedMemory entries, FlowIndex index, IdSet half_open, std::uint32_t flows_max,
              std::uint64_t seed) noexcept;
    [[nodiscard]] Entry& entry(FlowId id) const noexcept {
        return *std::launder(static_cast<Entry*>(static_cast<void*>(entries_.data() + id * kStride)));
    }
    [[nodiscard]] Entry& live_entry(FlowId id) const noexcept {
        SEINE_ASSERT(live(id));
        return entry(id);
    }
    FlowId victim(Ticks now) noexcept;

    MappedMemory entries_;
    FlowIndex index_;
    IdSet half_open_;
    std::uint64_t seed_;
    std::uint32_t capacity_;
    std::uint32_t size_ = 0;
    std::uint64_t erased_ = 0;
    FlowId fresh_ = 0;         // ids from here on were never used
    FlowId free_ = kNoFlow;    // freed ids, linked through Entry::seen
    FlowId half_open_hand_ = 0;
    FlowId idle_hand_ = 0;
};

template <typename Hot>
Result<std::unique_ptr<FlowTable<Hot>>> FlowTable<Hot>::make(std::uint32_t flows_max, std::uint64_t seed) {
    if (flows_max == 0) flows_max = 1;
    auto index = FlowIndex::make(flows_max);
    if (!index) return index.error();
    auto half_open = IdSet::make(flows_max);
    if (!half_open) return half_open.error();
    auto entries = MappedMemory::make(flows_max * kStride, "flow table");
    if (!entries) return entries.error();
    return std::unique_ptr<FlowTable>(
        new FlowTable(std::move(*entries), std::move(*index), std::move(*half_open), flows_max, seed));
}

template <typename Hot>
FlowTable<Hot>::FlowTable(MappedMemory entries, FlowIndex index, IdSet half_open, std::uint32_t flows_max,
                          std::uint64_t seed) noexcept
    : entries_(std::move(entries)),
      index_(std::move(index)),
      half_open_(std::move(half_open)),
      seed_(seed),
      capacity_(flows_max) {}

template <typename Hot>
FlowId FlowTable<Hot>::prefetch_entry(std::uint64_t hash) const noexcept {
    const FlowId guess = index_.guess(hash);
    if (guess != kNoFlow) prefetch_flow(guess);
    return guess;
}

template <typename Hot>
FlowId FlowTable<Hot>::find(const FlowKey& key, std::uint64_t hash, FlowId guess) const noexcept {
    if (const FlowId confirmed = confirm(key, guess); confirmed != kNoFlow) [[likely]] return confirmed;
    FlowId found = kNoFlow;
    index_.search(hash, [&](FlowId id) {
        if (!(entry(id).key == key)) return false;
        found = id;
        return true;
    });
    return found;
}

template <typename Hot>
template <typename Evict>
FlowId FlowTable<Hot>::insert(const FlowKey& key, std::uint64_t hash, Ticks now, Evict&& evict) noexcept {
    SEINE_ASSERT(hash == this->hash(key) && find(key, hash) == kNoFlow);
    if (size_ == capacity_) {
        const FlowId gone = victim(now);
        evict(gone);
        SEINE_ASSERT(live(gone));
        erase(gone);
    }
    const FlowId id = free_ != kNoFlow ? free_ : fresh_;
    SEINE_ASSERT(id < capacity_);
    if (!index_.insert(hash, id)) return kNoFlow;
    if (id == fresh_) {
        ++fresh_;
    } else {
        free_ = entry(id).seen;
    }
    ::new (static_cast<void*>(&entry(id))) Entry{key, now, 1, 1, Hot{}};
    half_open_.insert(id);
    ++size_;
    return id;
}

template <typename Hot>
void FlowTable<Hot>::erase(FlowId id) noexcept {
    Entry& gone = live_entry(id);
    index_.erase(hash(gone.key), id);
    half_open_.erase(id);
    gone.live = 0;
    ++erased_;
    gone.seen = free_;
    free_ = id;
    --size_;
}

template <typename Hot>
void FlowTable<Hot>::set_half_open(FlowId id, bool half_open) noexcept {
    Entry& flow = live_entry(id);
    if ((flow.half_open != 0) == half_open) return;
    flow.half_open = half_open ? 1 : 0;
    if (half_open) {
        half_open_.insert(id);
    } else {
        half_open_.erase(id);
    }
}

// Only called when every id below the capacity is live.
template <typename Hot>
FlowId FlowTable<Hot>::victim(Ticks now) noexcept {
    if (flooded()) {
        const FlowId chosen = half_open_.next_from(half_open_hand_);
        half_open_hand_ = chosen + 1 < capacity_ ? chosen + 1 : 0;
        return chosen;
    }
    FlowId chosen = idle_hand_;
    for (unsigned i = 1; i < kEvictionSample && i < capacity_; ++i) {
        const FlowId other = idle_hand_ + i < capacity_ ? idle_hand_ + i : idle_hand_ + i - capacity_;
        if (now - entry(other).seen > now - entry(chosen).seen) chosen = other;
    }
    idle_hand_ = idle_hand_ + kEvictionSample < capacity_ ? idle_hand_ + kEvictionSample : 0;
    return chosen;
}

}  // namespace seine::flow
