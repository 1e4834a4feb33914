// A set of small ids as bits over bits, with "next member from here" in a handful of steps.
#pragma once
#include <bit>
#include <cstdint>

#include "dataplane/base/mapped_memory.h"

namespace seine::flow {

// Ids below the capacity given to make(). Each level has one bit for 64 of the level under it, so insert,
// erase and next_from touch at most kLevels words. One thread.
class IdSet {
  public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr unsigned kLevels = 5;  // 64^5 ids, more than 30 bits

    static Result<IdSet> make(std::uint32_t capacity);

    void insert(std::uint32_t id) noexcept;
    void erase(std::uint32_t id) noexcept;
    [[nodiscard]] bool has(std::uint32_t id) const noexcept {
        return (levels_[0][id >> 6] >> (id & 63) & 1) != 0;
    }
    // The lowest member at or above `id`, else the lowest of all; kNone when the set is empty.
    [[nodiscard]] std::uint32_t next_from(std::uint32_t id) const noexcept;
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  private:
    [[nodiscard]] std::uint32_t at_or_above(std::uint32_t id) const noexcept;

    MappedMemory memory_;
    std::uint64_t* levels_[kLevels] = {};
    std::uint32_t capacity_ = 0;
    std::uint32_t size_ = 0;
};

}  // namespace seine::flow
