// Rule sets from hand to hand: published to the workers, retired when none uses them any more.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/signature/generation.h"

namespace seine::runtime {

// What a worker reads at every turn of its loop, and says back. A cache line of its own.
struct alignas(64) RuleSeat {
    std::atomic<const signature::Generation*> adopted{nullptr};
    std::atomic<bool> gone{false};  // the worker has ended
};

// One writer, the thread that publishes; the workers read `current()` and write their own seats. Nobody
// waits for anybody: a set that was replaced is freed by a later call of retire().
class Reload {
  public:
    explicit Reload(unsigned workers) : seats_(workers) {}
    // Workers have ended.
    ~Reload() = default;

    // From a worker, between two bursts.
    [[nodiscard]] const signature::Generation* current() const noexcept {
        return current_.load(std::memory_order_acquire);
    }
    [[nodiscard]] RuleSeat& seat(unsigned worker) noexcept { return seats_[worker]; }

    // From the publishing thread. Takes effect at each worker's next burst.
    void publish(std::unique_ptr<signature::Generation> generation);
    // Frees the sets that every worker has let go of; how many are still waiting.
    std::size_t retire();
    // Packets that sets freed by now had inspected.
    [[nodiscard]] std::uint64_t packets_of_retired() const noexcept { return packets_of_retired_; }
    // Of all sets, freed, waiting and in use.
    [[nodiscard]] std::uint64_t packets() const noexcept;
    [[nodiscard]] const signature::Generation* in_use() const noexcept { return owned_.get(); }

  private:
    std::atomic<const signature::Generation*> current_{nullptr};
    std::vector<RuleSeat> seats_;
    std::unique_ptr<signature::Generation> owned_;
    std::vector<std::unique_ptr<signature::Generation>> waiting_;
    std::uint64_t packets_of_retired_ = 0;
};

}  // namespace seine::runtime
