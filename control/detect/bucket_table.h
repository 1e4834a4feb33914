// A bounded hash table of plain entries: buckets of four, two buckets to a key.
//
// A new entry goes into the emptier of its two buckets, which fills the table to two thirds and
// more before both are full. Then it doubles, so that memory follows what is kept; at its cap the
// oldest of the eight makes room. Keys are hashes already, so a flood of them cannot aim at a
// bucket.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "dataplane/base/hash.h"

namespace seine::detect {

// `Entry` has key() (0: free) and age(now), in any unit; from `Entry::kStale` on it is as good as
// free.
template <typename Entry, typename Time>
class BucketTable {
  public:
    static constexpr std::size_t kWays = 4, kEntriesFirst = 4096;

    explicit BucketTable(std::size_t entries_max)
        : max_(std::bit_floor(std::max<std::size_t>(entries_max, 64))),
          entries_(std::min(max_, kEntriesFirst)) {}

    // Stays where it is until the next place().
    [[nodiscard]] Entry* find(std::uint64_t key) noexcept {
        return const_cast<Entry*>(static_cast<const BucketTable*>(this)->find(key));
    }
    [[nodiscard]] const Entry* find(std::uint64_t key) const noexcept {
        for (const std::size_t bucket : {first(key), second(key)}) {
            for (const Entry* at = &entries_[bucket]; at != &entries_[bucket] + kWays; ++at) {
                if (at->key() == key) return at;
            }
        }
        return nullptr;
    }
    // Where the entry of a key that is not in here is to be written, at once.
    [[nodiscard]] Entry& place(std::uint64_t key, Time now) {
        Entry* at = vacant(key, now);
        while (at == nullptr && entries_.size() < max_) {
            grow(now);
            at = vacant(key, now);
        }
        if (at == nullptr) {
            at = oldest(key, now);
            ++evicted_;
        }
        return *at;
    }
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

  private:
    [[nodiscard]] std::size_t mask() const noexcept { return entries_.size() / kWays - 1; }
    [[nodiscard]] std::size_t first(std::uint64_t key) const noexcept {
        return kWays * (mix64(key, 0xd6e8feb86659fd93u) & mask());
    }
    [[nodiscard]] std::size_t second(std::uint64_t key) const noexcept {
        return kWays * (mix64(key ^ 0x9e3779b97f4a7c15u, 0xa0761d6478bd642fu) & mask());
    }
    static bool is_vacant(const Entry& entry, Time now) noexcept {
        return entry.key() == 0 || entry.age(now) >= Entry::kStale;
    }
    [[nodiscard]] Entry* vacant(std::uint64_t key, Time now) noexcept {
        Entry* best = nullptr;
        std::ptrdiff_t most = 0;
        for (const std::size_t bucket : {first(key), second(key)}) {
            Entry* const begin = &entries_[bucket];
            const auto is = [now](const Entry& e) { return is_vacant(e, now); };
            const std::ptrdiff_t vacancies = std::count_if(begin, begin + kWays, is);
            if (vacancies <= most) continue;
            most = vacancies;
            best = std::find_if(begin, begin + kWays, is);
        }
        return best;
    }
    [[nodiscard]] Entry* oldest(std::uint64_t key, Time now) noexcept {
        Entry* best = &entries_[first(key)];
        for (const std::size_t bucket : {first(key), second(key)}) {
            for (Entry* at = &entries_[bucket]; at != &entries_[bucket] + kWays; ++at) {
                if (at->age(now) > best->age(now)) best = at;
            }
        }
        return best;
    }
    void grow(Time now) {
        std::vector<Entry> old(2 * entries_.size());
        old.swap(entries_);
        for (const Entry& entry : old) {
            if (is_vacant(entry, now)) continue;
            Entry* at = vacant(entry.key(), now);
            if (at == nullptr) {
                at = oldest(entry.key(), now);
                ++evicted_;
            }
            *at = entry;
        }
    }

    std::size_t max_;
    std::vector<Entry> entries_;
    std::uint64_t evicted_ = 0;
};

}  // namespace seine::detect
