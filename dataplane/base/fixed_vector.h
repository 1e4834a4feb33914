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
        storage_.items[count_++] = item;
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
        return storage_.items[index];
    }
    const T& operator[](std::size_t index) const noexcept {
        SEINE_ASSERT(index < count_);
        return storage_.items[index];
    }
    T* data() noexcept { return storage_.items.data(); }
    const T* data() const noexcept { return storage_.items.data(); }
    T* begin() noexcept { return storage_.items.data(); }
    T* end() noexcept { return storage_.items.data() + count_; }
    const T* begin() const noexcept { return storage_.items.data(); }
    const T* end() const noexcept { return storage_.items.data() + count_; }
    T& back() noexcept { return (*this)[count_ - 1]; }

  private:
    // Left uninitialised on purpose, whatever T's constructor would do: only the first count_ items are ever
    // read, and a list of thousands costs nothing to make.
    union Storage {
        Storage() noexcept {}
        std::array<T, Cap> items;
    };
    Storage storage_;
    std::size_t count_ = 0;
};

}  // namespace seine
