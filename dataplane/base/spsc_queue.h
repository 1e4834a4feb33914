// A bounded queue from one thread to another.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace seine {

// One thread pushes, one pops; neither waits, and nothing is allocated after it is made. What is still queued at the end
// belongs to nobody: the owner drains it first. (DPDK's own ring would do, but ThreadSanitizer does not understand its
// barriers, and then sees nothing of what passes through.)
template <typename Item>
class SpscQueue {
  public:
    // `places` is rounded up to a power of two.
    explicit SpscQueue(std::uint32_t places)
        : mask_(std::bit_ceil(places) - 1), items_(std::make_unique<Item[]>(mask_ + std::size_t{1})) {}

    // False, and the item stays the caller's, when the queue is full.
    [[nodiscard]] bool push(const Item& item) noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_seen_ > mask_) {
            tail_seen_ = tail_.load(std::memory_order_acquire);
            if (head - tail_seen_ > mask_) return false;
        }
        items_[head & mask_] = item;
        head_.store(head + 1, std::memory_order_release);
        return true;
    }
    // Takes at most out.size() items, oldest first.
    std::size_t pop(std::span<Item> out) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        const std::uint32_t queued = head_.load(std::memory_order_acquire) - tail;
        const std::uint32_t count = queued < out.size() ? queued : static_cast<std::uint32_t>(out.size());
        for (std::uint32_t i = 0; i < count; ++i) out[i] = items_[(tail + i) & mask_];
        tail_.store(tail + count, std::memory_order_release);
        return count;
    }
    [[nodiscard]] bool pop(Item& item) noexcept { return pop(std::span<Item>(&item, 1)) == 1; }
    [[nodiscard]] bool empty() const noexcept {
        return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
    }

  private:
    std::uint32_t mask_;
    std::unique_ptr<Item[]> items_;
    alignas(64) std::atomic<std::uint32_t> head_{0};  // written by the pusher
    std::uint32_t tail_seen_ = 0;
    alignas(64) std::atomic<std::uint32_t> tail_{0};  // written by the popper
};

}  // namespace seine
