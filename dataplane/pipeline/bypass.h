// Flows that cards pass by: what a worker asks, and what it is told of the packets that it no longer sees.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/flow/flow_key.h"

namespace seine::pipeline {

// One thread pushes, one pops; neither waits.
template <typename Item, std::uint32_t kPlaces>
class BypassQueue {
  public:
    // False when the queue is full.
    [[nodiscard]] bool push(const Item& item) noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_.load(std::memory_order_acquire) == kPlaces) return false;
        items_[head % kPlaces] = item;
        head_.store(head + 1, std::memory_order_release);
        return true;
    }
    [[nodiscard]] bool pop(Item& item) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail == head_.load(std::memory_order_acquire)) return false;
        item = items_[tail % kPlaces];
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

  private:
    std::array<Item, kPlaces> items_{};
    alignas(64) std::atomic<std::uint32_t> head_{0};
    alignas(64) std::atomic<std::uint32_t> tail_{0};
};

// Of one flow of one worker: it may be passed by, or it is over.
struct BypassAsk {
    flow::FlowKey key{};
    std::uint32_t flow = 0;
    std::uint64_t number = 0;  // FlowHot::number: the id may be another flow's by now
    bool over = false;
};

// What a card dropped of it since it told last. Bytes are those of whole frames.
struct BypassCount {
    std::uint32_t flow = 0;
    std::uint64_t number = 0;
    std::uint64_t packets[2] = {};  // sent by the lower end of the key, and by the other
    std::uint64_t bytes[2] = {};
};

// Between one worker and the thread that tends the cards.
struct BypassLink {
    BypassQueue<BypassAsk, 1024> asks;      // a flow that finds it full goes on as it did, and asks again later
    BypassQueue<BypassCount, 8192> counts;  // full: told the next time
};

}  // namespace seine::pipeline
