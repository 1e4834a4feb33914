// Bounded single-producer single-consumer ring of variable-length messages: worker to exporter.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/bytes.h"

namespace seine {

// One thread reserves and commits, one other reads and releases; neither waits. Messages are
// contiguous; a message that does not fit before the end of the buffer starts anew at its front. So does one that finds the
// ring empty and its front behind by kWarmBytes: a consumer that keeps up leaves both at work in lines that are in the caches.
class ByteRing {
  public:
    // `capacity_bytes` is rounded up to a power of two; the buffer is allocated here and never again.
    explicit ByteRing(std::size_t capacity_bytes)
        : size_(std::bit_ceil(capacity_bytes < 4096 ? std::size_t{4096} : capacity_bytes)),
          buffer_(std::make_unique<std::uint8_t[]>(size_)) {}

    // Producer, before the first message: instead of giving up when the ring is full, reserve() calls
    // `pause(context)` until there is room. For input that can wait, such as files.
    using Pause = void (*)(void* context) noexcept;
    void pause_when_full(Pause pause, void* context) noexcept {
        pause_ = pause;
        pause_context_ = context;
    }
    // Producer, before the first message: every message from here on, kept or not, is counted in `*count`
    // too, and a kept one before the consumer can have it. In shared memory the count outlives the process
    // and says what died with it.
    void count_into(std::uint64_t* count) noexcept { count_ = count; }
    // Producer: room for one message of at most `bytes_max`; empty when the ring is full, or can never
    // hold that much.
    std::span<std::uint8_t> reserve(std::size_t bytes_max) noexcept;
    // Producer: publishes the first `bytes` of the last reservation.
    void commit(std::size_t bytes) noexcept;
    // Producer: bytes that are free for sure; a file reader waits on this, a live worker never does.
    [[nodiscard]] std::size_t room() const noexcept {
        return size_ - static_cast<std::size_t>(head_.load(std::memory_order_relaxed) -
                                                tail_.load(std::memory_order_acquire));
    }
    // Consumer: the oldest message, borrowed until release(); empty when there is none. A message
    // has at least one byte.
    ByteView front() noexcept;
    void release() noexcept;

    [[nodiscard]] std::size_t capacity() const noexcept { return size_; }

  private:
    static constexpr std::uint32_t kWrap = 0xffffffff;  // "the next message is at the front"
    static constexpr std::size_t kPrefix = 8;           // length, padded so messages stay aligned
    static constexpr std::size_t kWarmBytes = std::size_t{128} * 1024;
    void count_one() noexcept {
        if (count_ == nullptr) return;
        std::atomic_ref<std::uint64_t> count(*count_);
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    static std::size_t padded(std::size_t bytes) noexcept { return (bytes + 7) & ~std::size_t{7}; }

    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> buffer_;
    alignas(64) std::atomic<std::uint64_t> head_{0};  // written by the producer
    std::uint64_t reserved_at_ = 0;
    std::uint64_t tail_seen_ = 0;
    std::size_t look_at_ = kWarmBytes;  // from this place on, whether the ring is empty
    Pause pause_ = nullptr;
    void* pause_context_ = nullptr;
    std::uint64_t* count_ = nullptr;
    alignas(64) std::atomic<std::uint64_t> tail_{0};  // written by the consumer
    std::uint64_t front_next_ = 0;
};

inline std::span<std::uint8_t> ByteRing::reserve(std::size_t bytes_max) noexcept {
    const std::size_t need = kPrefix + padded(bytes_max);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::size_t at = head & (size_ - 1);
    const std::size_t to_end = size_ - at;
    bool wrap = need > to_end;
    if (at >= look_at_) [[unlikely]] {
        look_at_ = at + kWarmBytes;
        tail_seen_ = tail_.load(std::memory_order_acquire);
        wrap = wrap || (tail_seen_ == head && need <= at);
    }
    const std::size_t total = wrap ? to_end + need : need;
    if (need > size_ || total > size_) {
        count_one();
        return {};
    }
    if (head + total - tail_seen_ > size_) {
        tail_seen_ = tail_.load(std::memory_order_acquire);
        while (head + total - tail_seen_ > size_) {
            if (pause_ == nullptr) {
                count_one();
                return {};
            }
            pause_(pause_context_);
            tail_seen_ = tail_.load(std::memory_order_acquire);
        }
    }
    if (wrap) {
        std::memcpy(buffer_.get() + at, &kWrap, sizeof kWrap);
        head += to_end;
        look_at_ = kWarmBytes;
    }
    reserved_at_ = head;
    return {buffer_.get() + (head & (size_ - 1)) + kPrefix, bytes_max};
}

inline void ByteRing::commit(std::size_t bytes) noexcept {
    const auto length = static_cast<std::uint32_t>(bytes);
    std::memcpy(buffer_.get() + (reserved_at_ & (size_ - 1)), &length, sizeof length);
    count_one();
    head_.store(reserved_at_ + kPrefix + padded(bytes), std::memory_order_release);
}

inline ByteView ByteRing::front() noexcept {
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return {};
    std::uint32_t length = load_le32(buffer_.get() + (tail & (size_ - 1)));
    if (length == kWrap) {
        tail += size_ - (tail & (size_ - 1));
        length = load_le32(buffer_.get() + (tail & (size_ - 1)));
    }
    front_next_ = tail + kPrefix + padded(length);
    return {buffer_.get() + (tail & (size_ - 1)) + kPrefix, length};
}

inline void ByteRing::release() noexcept { tail_.store(front_next_, std::memory_order_release); }

}  // namespace seine
