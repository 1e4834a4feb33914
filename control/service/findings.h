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
    std::atomic<std::uint64_t> waiting{0};  // the store could not take them yet
    std::atomic<std::uint64_t> dropped{0};  // more waited than kWaitingMax
};

// Any thread.
class Findings {
  public:
    static constexpr std::size_t kWaitingMax = 20'000;
    using Publish = std::function<void(const model::Event& event)>;

    explicit Findings(store::Store& store) : store_(store) {}
    // Before the first found().
    void publish_to(Publish publish) { publish_ = std::move(publish); }
    void found(const model::Event& event);
    // Findings of dataplanes: records of that kind in the rings. `ingest` outlives the part.
    IngestPart part(const Ingest& ingest);
    [[nodiscard]] const FindingCounters& counters() const noexcept { return counters_; }

  private:
    void keep_waiting();

    store::Store& store_;
    Publish publish_;
    FindingCounters counters_;
    std::mutex mutex_;
    std::deque<store::Finding> waiting_;
};

}  // namespace seine::service
