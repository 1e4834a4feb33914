// Inline vector with a compile-time cap; push reports overflow instead of growing.
#pragma once
#include <array>
#include <cstddef>
#include <type_traits>

#include "dataplane/base/assert.h"

namespace seine {

template <typename T, std::size_t Cap>
class FixedVector {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    static constexpr std::size_t kCap = Cap;
    // False, and nothing changed, when the vector is full.
    [[nodiscard]] bool push(const T& item) noexcept {
        if (count_ == Cap) return false;
        items_[count_++] = item;
        return true;
    }
    void pop() noexcept {
        SEINE_ASSERT(count_ > 0);
        --count_;
    }
    void clear() noexcept { count_ = 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] bool full() const noexcept { return count_ == Cap; }
    T& operator[](std::size_t index) noexcept {
        SEINE_ASSERT(index < count_);
        return items_[index];
    }
    const T& operator[](std::size_t index) const noexcept {
        SEINE_ASSERT(index < count_);
        return items_[index];
    }
    T* data() noexcept { return items_.data(); }
    const T* data() const noexcept { return items_.data(); }
    T* begin() noexcept { return items_.data(); }
    T* end() noexcept { return items_.data() + count_; }
    const T* begin() const noexcept { return items_.data(); }
    const T* end() const noexcept { return items_.data() + count_; }
    T& back() noexcept { return (*this)[count_ - 1]; }

  private:
    // Left uninitialised on purpose: only the first count_ items are ever read.
    std::array<T, Cap> items_;  // NOLINT
    std::size_t count_ = 0;
};

}  // namespace seine
