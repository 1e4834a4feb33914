// Bits over bits: each word of a level says which words below it are not empty.
#include "dataplane/flow/id_set.h"

#include <utility>

#include "dataplane/base/assert.h"

namespace seine::flow {

Result<IdSet> IdSet::make(std::uint32_t capacity) {
    if (capacity == 0 || capacity > (1u << 30)) return Status{Code::usage, "flow set: 1 to 2^30 ids"};
    std::size_t words[kLevels];
    std::size_t total = 0;
    std::size_t under = capacity;
    for (std::size_t& level : words) {
        level = (under + 63) / 64;
        total += level;
        under = level;
    }
    auto memory = MappedMemory::make(total * sizeof(std::uint64_t), "flow set");
    if (!memory) return memory.error();
    IdSet set;
    set.memory_ = std::move(*memory);
    set.capacity_ = capacity;
    auto* at = static_cast<std::uint64_t*>(static_cast<void*>(set.memory_.data()));
    for (unsigned i = 0; i < kLevels; ++i) {
        set.levels_[i] = at;
        at += words[i];
    }
    return set;
}

void IdSet::insert(std::uint32_t id) noexcept {
    SEINE_ASSERT(id < capacity_);
    if (has(id)) return;
    ++size_;
    for (std::uint64_t* level : levels_) {
        std::uint64_t& word = level[id >> 6];
        const bool was_empty = word == 0;
        word |= std::uint64_t{1} << (id & 63);
        if (!was_empty) return;
        id >>= 6;
    }
}

void IdSet::erase(std::uint32_t id) noexcept {
    SEINE_ASSERT(id < capacity_);
    if (!has(id)) return;
    --size_;
    for (std::uint64_t* level : levels_) {
        std::uint64_t& word = level[id >> 6];
        word &= ~(std::uint64_t{1} << (id & 63));
        if (word != 0) return;
        id >>= 6;
    }
}

// Up until a word has a member at or above, then down to its lowest.
std::uint32_t IdSet::at_or_above(std::uint32_t id) const noexcept {
    std::uint32_t position = id;
    for (unsigned level = 0; level < kLevels; ++level) {
        const std::uint64_t word = levels_[level][position >> 6] >> (position & 63);
        if (word != 0) {
            position += static_cast<std::uint32_t>(std::countr_zero(word));
            while (level > 0) {
                --level;
                position = position << 6 | static_cast<std::uint32_t>(std::countr_zero(levels_[level][position]));
            }
            return position;
        }
        position = (position >> 6) + 1;
        // The next level has no bit here when this was the last word.
        const std::uint32_t words = (((capacity_ - 1) >> (6 * level)) >> 6) + 1;
        if (position >= words) return kNone;
    }
    return kNone;
}

std::uint32_t IdSet::next_from(std::uint32_t id) const noexcept {
    if (size_ == 0) return kNone;
    const std::uint32_t found = id < capacity_ ? at_or_above(id) : kNone;
    return found != kNone ? found : at_or_above(0);
}

}  // namespace seine::flow
