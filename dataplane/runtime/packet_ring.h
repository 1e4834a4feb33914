// A bounded queue of packets from one polling thread to another.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct rte_mbuf;

namespace seine::runtime {

// One thread pushes, one pops; neither waits. What is still queued at the end belongs to nobody: the
// owner drains it first. (DPDK's own ring would do, but ThreadSanitizer does not understand its
// barriers, and then sees nothing of what passes through.)
class PacketRing {
  public:
    // `slots` is rounded up to a power of two.
    explicit PacketRing(std::uint32_t slots)
        : mask_(std::bit_ceil(slots) - 1), slots_(std::make_unique<rte_mbuf*[]>(mask_ + std::size_t{1})) {}

    // False, and the packet stays the caller's, when the ring is full.
    [[nodiscard]] bool push(rte_mbuf* packet) noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_seen_ > mask_) {
            tail_seen_ = tail_.load(std::memory_order_acquire);
            if (head - tail_seen_ > mask_) return false;
        }
        slots_[head & mask_] = packet;
        head_.store(head + 1, std::memory_order_release);
        return true;
    }
    // Takes at most out.size() packets, oldest first.
    std::size_t pop(std::span<rte_mbuf*> out) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        const std::uint32_t queued = head_.load(std::memory_order_acquire) - tail;
        const std::uint32_t count =
            queued < out.size() ? queued : static_cast<std::uint32_t>(out.size());
        for (std::uint32_t i = 0; i < count; ++i) out[i] = slots_[(tail + i) & mask_];
        tail_.store(tail + count, std::memory_order_release);
        return count;
    }
    [[nodiscard]] bool empty() const noexcept {
        return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
    }

  private:
    std::uint32_t mask_;
    std::unique_ptr<rte_mbuf*[]> slots_;
    alignas(64) std::atomic<std::uint32_t> head_{0};  // written by the pusher
    std::uint32_t tail_seen_ = 0;
    alignas(64) std::atomic<std::uint32_t> tail_{0};  // written by the popper
};

}  // namespace seine::runtime
