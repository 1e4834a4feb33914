// The open-addressing index of the flow table: hash to 32-bit id in 64-byte buckets.
#pragma once
#include <emmintrin.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <bit>
#include <cstdint>

#include "dataplane/base/assert.h"
#include "dataplane/base/mapped_memory.h"

namespace seine::flow {

// Buckets of eight slots, tags in one half line and ids in the other. A tag is 32 bits of the hash, never
// zero (zero marks a free slot); its low bits name the home bucket, so a slot can be moved without
// asking the entry. A key lives in the first bucket from home on that had room, and every bucket
// before it is full: a search ends at the first bucket that is not. Erasing pulls later slots back into the
// hole, so nothing ever decays and no tombstone exists.
//
// The index is as wide as its load asks for, within memory that make() mapped for the most: few flows lie on
// few pages. It doubles bucket by bucket (linear hashing): buckets below `split_` have given the slots with
// the next bit to the bucket `width_` further on. Probes go on to the next bucket in memory and never wrap, so
// that growing changes no way but the first step.
class FlowIndex {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr unsigned kSlots = 8;
    static constexpr unsigned kProbesMax = 128;  // buckets; at 0.6 full a search sees 1.1 on average

    // At most 0.5 full, and 0.6 at its widest (buckets are a power of two, so often much less) with `ids_max` ids.
    static Result<FlowIndex> make(std::uint32_t ids_max);

    void prefetch(std::uint64_t hash) const noexcept {
        __builtin_prefetch(&buckets_[home_of(tag_of(hash))]);
    }
    // First id whose tag matches; kNone when there is none.
    [[nodiscard]] std::uint32_t guess(std::uint64_t hash) const noexcept {
        std::uint32_t found = kNone;
        search(hash, [&](std::uint32_t id) {
            found = id;
            return true;
        });
        return found;
    }
    // Calls match(id) for ids with the same tag until it says true.
    template <typename Match>
    bool search(std::uint64_t hash, Match&& match) const noexcept;
    // False when no bucket within kProbesMax has room.
    [[nodiscard]] bool insert(std::uint64_t hash, std::uint32_t id) noexcept;
    // The pair must be there.
    void erase(std::uint64_t hash, std::uint32_t id) noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept { return memory_.bytes(); }
    // Home buckets in use; grows with the ids and stays.
    [[nodiscard]] std::uint32_t width() const noexcept { return width_ + split_; }

  private:
    struct alignas(64) Bucket {
        std::uint32_t tags[kSlots];
        std::uint32_t ids[kSlots];
    };
    static std::uint32_t tag_of(std::uint64_t hash) noexcept {
        const auto tag = static_cast<std::uint32_t>(hash);
        return tag == 0 ? 1 : tag;
    }
    static constexpr std::uint32_t kWidthFirst = 64;
    static constexpr unsigned kSplitsAtOnce = 4;  // a doubling is over before the load has moved
    static constexpr std::uint32_t kLoadMax = kSlots / 2;

    [[nodiscard]] std::uint32_t home_of(std::uint32_t tag) const noexcept {
        const std::uint32_t home = tag & (width_ - 1);
        return home < split_ ? tag & (2 * width_ - 1) : home;
    }
    // One bit per slot whose tag equals `tag`.
    static unsigned slots_with(const Bucket& bucket, std::uint32_t tag) noexcept;
    // Where the next slot from `home` on is free; kNone when there is none within kProbesMax.
    [[nodiscard]] std::uint32_t room_from(std::uint32_t home) const noexcept;
    void put(std::uint32_t bucket, std::uint32_t tag, std::uint32_t id) noexcept;
    void fill_hole(std::uint32_t bucket, unsigned slot) noexcept;
    [[nodiscard]] bool split_one() noexcept;

    MappedMemory memory_;
    Bucket* buckets_ = nullptr;
    std::uint32_t width_ = 1;      // a power of two
    std::uint32_t split_ = 0;      // below width_
    std::uint32_t width_max_ = 1;  // a power of two
    std::uint32_t count_ = 0;
};

inline unsigned FlowIndex::slots_with(const Bucket& bucket, std::uint32_t tag) noexcept {
#ifdef __AVX2__
    const __m256i tags = _mm256_load_si256(reinterpret_cast<const __m256i*>(bucket.tags));  // NOLINT
    const __m256i same = _mm256_cmpeq_epi32(tags, _mm256_set1_epi32(static_cast<int>(tag)));
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
#else
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
    const auto* tags = reinterpret_cast<const __m128i*>(bucket.tags);  // NOLINT: intrinsics load so
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(tags), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(tags + 1), wanted);
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(low))) |
           static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(high))) << 4;
#endif
}

template <typename Match>
bool FlowIndex::search(std::uint64_t hash, Match&& match) const noexcept {
    const std::uint32_t tag = tag_of(hash);
    std::uint32_t at = home_of(tag);
    for (unsigned probe = 0; probe < kProbesMax; ++probe, ++at) {
        const Bucket& bucket = buckets_[at];
        for (unsigned hits = slots_with(bucket, tag); hits != 0; hits &= hits - 1) {
            if (match(bucket.ids[std::countr_zero(hits)])) return true;
        }
        if (slots_with(bucket, 0) != 0) return false;
    }
    return false;
}

}  // namespace seine::flow
