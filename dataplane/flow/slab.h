// Pool<T>: a fixed number of cold per-flow states by 32-bit id.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "dataplane/base/assert.h"
#include "dataplane/base/mapped_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace seine::flow {

inline constexpr std::uint32_t kNoState = 0xffffffff;

// All memory is mapped by make() and touched as it is used, lowest ids first and the last given back
// first again. One thread. Under AddressSanitizer a state that is not taken is poisoned.
template <typename T>
class Pool {
    static_assert(std::is_trivially_destructible_v<T>);

  public:
    static Result<std::unique_ptr<Pool>> make(std::uint32_t count_max, const char* what);
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() {
        for (std::uint32_t id = 0; id < fresh_; ++id) guard(id, false);
    }

    // The id of a fresh T{}; kNoState when the pool is exhausted.
    [[nodiscard]] std::uint32_t take() noexcept;
    void give(std::uint32_t id) noexcept;

    [[nodiscard]] T& operator[](std::uint32_t id) noexcept {
        SEINE_ASSERT(id < fresh_);
        return *std::launder(static_cast<T*>(at(id)));
    }
    [[nodiscard]] const T& operator[](std::uint32_t id) const noexcept {
        SEINE_ASSERT(id < fresh_);
        return *std::launder(static_cast<const T*>(at(id)));
    }
    // The lines of a state that hold its bytes from `first` on.
    void prefetch(std::uint32_t id, std::size_t first, std::size_t bytes) const noexcept {
        constexpr std::size_t kLine = 64;
        const auto* state = static_cast<const std::uint8_t*>(at(id));
        for (std::size_t line = first / kLine * kLine; line < first + bytes; line += kLine) __builtin_prefetch(state + line);
    }
    [[nodiscard]] std::uint32_t used() const noexcept { return used_; }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  private:
    static constexpr std::size_t kAlign = alignof(T) > 64 ? alignof(T) : (sizeof(T) >= 64 ? 64 : 8);
    static constexpr std::size_t kStride = (sizeof(T) + kAlign - 1) / kAlign * kAlign;

    Pool(MappedMemory memory, std::uint32_t count_max) noexcept
        : memory_(std::move(memory)), capacity_(count_max) {}
    [[nodiscard]] void* at(std::uint32_t id) const noexcept { return memory_.data() + id * kStride; }
    void guard([[maybe_unused]] std::uint32_t id, [[maybe_unused]] bool closed) const noexcept {
#if defined(__SANITIZE_ADDRESS__)
        if (closed) {
            __asan_poison_memory_region(at(id), kStride);
        } else {
            __asan_unpoison_memory_region(at(id), kStride);
        }
#endif
    }

    MappedMemory memory_;
    std::uint32_t capacity_;
    std::uint32_t used_ = 0;
    std::uint32_t fresh_ = 0;        // ids from here on were never taken
    std::uint32_t free_ = kNoState;  // ids given back, linked through their first bytes
};

template <typename T>
Result<std::unique_ptr<Pool<T>>> Pool<T>::make(std::uint32_t count_max, const char* what) {
    auto memory = MappedMemory::make(std::size_t{count_max} * kStride + 1, what);
    if (!memory) return memory.error();
    return std::unique_ptr<Pool>(new Pool(std::move(*memory), count_max));
}

template <typename T>
std::uint32_t Pool<T>::take() noexcept {
    std::uint32_t id = free_;
    if (id != kNoState) {
        guard(id, false);
        std::memcpy(&free_, at(id), sizeof free_);
    } else {
        if (fresh_ == capacity_) return kNoState;
        id = fresh_++;
    }
    ++used_;
    ::new (at(id)) T{};
    return id;
}

template <typename T>
void Pool<T>::give(std::uint32_t id) noexcept {
    SEINE_ASSERT(id < fresh_ && used_ > 0);
    std::memcpy(at(id), &free_, sizeof free_);
    guard(id, true);
    free_ = id;
    --used_;
}

}  // namespace seine::flow
