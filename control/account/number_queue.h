// Numbers in the order they came, first in, first out: bounded, in memory mapped at start.
#pragma once
#include <cstdint>
#include <utility>

#include "dataplane/base/assert.h"
#include "dataplane/base/mapped_memory.h"

namespace seine::account {

// Holds up to `capacity` numbers. Unlike a chain through the items, those that come next are known
// without a look at the ones before. One thread.
class NumberQueue {
  public:
    static Result<NumberQueue> make(std::uint32_t capacity, const char* what) {
        std::uint64_t places = 64;
        while (places < capacity) places *= 2;
        auto memory = MappedMemory::make(places * sizeof(std::uint32_t), what);
        if (!memory) return memory.error();
        NumberQueue queue;
        queue.memory_ = std::move(*memory);
        queue.mask_ = places - 1;
        return queue;
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(last_ - first_); }
    void push(std::uint32_t number) noexcept {
        SEINE_ASSERT(last_ - first_ <= mask_);
        place(last_++) = number;
    }
    void pop() noexcept {
        SEINE_ASSERT(last_ != first_);
        ++first_;
    }
    // The one that has `ahead` before it; 0: there are not so many.
    [[nodiscard]] std::uint32_t at(std::uint32_t ahead) const noexcept {
        return ahead < size() ? place(first_ + ahead) : 0;
    }
    // Drops all behind the first `count`.
    void keep(std::uint32_t count) noexcept {
        SEINE_ASSERT(count <= size());
        last_ = first_ + count;
    }
    void put(std::uint32_t ahead, std::uint32_t number) noexcept { place(first_ + ahead) = number; }

  private:
    std::uint32_t& place(std::uint64_t at) const noexcept {
        // Mapped memory is zeroed and aligned for numbers.
        return reinterpret_cast<std::uint32_t*>(memory_.data())[at & mask_];  // NOLINT
    }
    MappedMemory memory_;
    std::uint64_t mask_ = 0;
    std::uint64_t first_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace seine::account
