// Items of one size by number, from memory mapped at start; number 0 is nobody.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "dataplane/base/assert.h"
#include "dataplane/base/mapped_memory.h"

namespace seine::account {

// Pages are touched as items are taken for the first time, so a bound that is never reached costs
// address space only. One thread.
template <typename T>
class Pool {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));

  public:
    static Result<Pool> make(std::uint32_t capacity, const char* what) {
        auto memory = MappedMemory::make((std::size_t{capacity} + 1) * sizeof(T), what);
        if (!memory) return memory.error();
        Pool pool;
        pool.memory_ = std::move(*memory);
        pool.capacity_ = capacity;
        return pool;
    }
    // A zeroed item's number; 0 when all are taken.
    [[nodiscard]] std::uint32_t take() noexcept {
        std::uint32_t number = free_;
        if (number != 0) {
            std::memcpy(&free_, at(number), sizeof free_);
            std::memset(static_cast<void*>(at(number)), 0, sizeof(T));
        } else if (touched_ < capacity_) {
            number = ++touched_;
        } else {
            return 0;
        }
        ++used_;
        return number;
    }
    void give(std::uint32_t number) noexcept {
        SEINE_ASSERT(number != 0 && number <= touched_ && used_ > 0);
        std::memcpy(static_cast<void*>(at(number)), &free_, sizeof free_);
        free_ = number;
        --used_;
    }
    T& operator[](std::uint32_t number) noexcept { return *at(number); }
    const T& operator[](std::uint32_t number) const noexcept { return *at(number); }
    // It is looked at soon: its memory is asked for. Any number.
    void fetch(std::uint32_t number) const noexcept {
        constexpr std::size_t kLine = 64;
        const auto* from = reinterpret_cast<const std::uint8_t*>(at(number));  // NOLINT
        for (std::size_t line = 0; line < sizeof(T); line += kLine) __builtin_prefetch(from + line);
        if (sizeof(T) % kLine != 0) __builtin_prefetch(from + sizeof(T) - 1);  // it may lie across
    }
    [[nodiscard]] std::uint32_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    // Memory that has been touched, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept { return std::size_t{touched_} * sizeof(T); }

  private:
    T* at(std::uint32_t number) const noexcept {
        // Mapped memory is zeroed and aligned for any T; a zeroed T is a T.
        return reinterpret_cast<T*>(memory_.data()) + number;  // NOLINT
    }
    MappedMemory memory_;
    std::uint32_t capacity_ = 0;
    std::uint32_t touched_ = 0;
    std::uint32_t used_ = 0;
    std::uint32_t free_ = 0;
};

// Heads of hash chains, a power of two of them.
class Heads {
  public:
    static Result<Heads> make(std::uint32_t items, const char* what) {
        std::uint32_t count = 64;
        while (count < items && count < (1u << 31)) count *= 2;
        auto memory = MappedMemory::make(std::size_t{count} * sizeof(std::uint32_t), what);
        if (!memory) return memory.error();
        Heads heads;
        heads.memory_ = std::move(*memory);
        heads.mask_ = count - 1;
        return heads;
    }
    std::uint32_t& of(std::uint64_t key) const noexcept {
        // Mapped memory is zeroed and aligned for numbers.
        return reinterpret_cast<std::uint32_t*>(memory_.data())[key & mask_];  // NOLINT
    }
    // It is looked at soon.
    void fetch(std::uint64_t key) const noexcept { __builtin_prefetch(&of(key)); }

  private:
    MappedMemory memory_;
    std::uint32_t mask_ = 0;
};

}  // namespace seine::account
