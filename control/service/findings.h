// What was found, whoever found it: kept in the store and handed to whoever sends it on.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "control/model/event.h"
#include "control/service/ingest.h"
#include "control/store/store.h"

namespace seine::service {

struct FindingCounters {
    std::atomic<std::uint64_t> found{0};
    std::atomic<std::uint64_t> kept{0};
    std::atomic<std::uint64_t> waiting{0};  // for the next batch
    std::atomic<std::uint64_t> dropped{0};  // more waited than kWaitingMax
};

// What a ring's record says is stored in the batch that stores the place in the ring: after a kill
// it is there once, and taking in never waits for the store. Everything else is stored at once.
class Findings {
  public:
    // Rings are read on while fewer than half of it wait; past it the oldest go.
    static constexpr std::size_t kWaitingMax = 40'000;
    using Publish = std::function<void(const model::Event& event)>;

    explicit Findings(store::Store& store) : store_(store) {}
    // Before the first found().
    void publish_to(Publish publish) { publish_ = std::move(publish); }
    // Any thread but those that take in and add up: may wait for the store.
    void found(const model::Event& event);
    // Those threads: of what they are taking in.
    void found_in_round(const model::Event& event);
    // Sent on, not kept.
    void publish(const model::Event& event) const {
        if (publish_) publish_(event);
    }
    // Findings of dataplanes: records of that kind in the rings. `ingest` outlives the part.
    IngestPart part(const Ingest& ingest);
    [[nodiscard]] const FindingCounters& counters() const noexcept { return counters_; }

  private:
    void wait_for_batch(store::Finding finding);
    void take_waiting(store::Batch& batch);
    void taken();

    store::Store& store_;
    Publish publish_;
    FindingCounters counters_;
    std::size_t in_batch_ = 0;  // of the ingest's thread
    std::mutex mutex_;          // of what follows
    std::deque<store::Finding> waiting_;
};

}  // namespace seine::service
