// A world played in the order of time: flows open and close, account records arrive between.
#pragma once
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "tools/evaluate/prefetch.h"
#include "tools/evaluate/world_batch.h"

namespace seine::evaluate {

// Who listens. Times never go back.
class Audience {
  public:
    virtual ~Audience() = default;
    virtual void text(model::ValueId id, const std::string& text) = 0;
    // The flow as it is at its hello: without exchanges, not closed.
    virtual void opened(Nanos now, const model::Flow& flow) = 0;
    // The whole flow at its end; the audience may take it apart.
    virtual void closed(Nanos now, model::Flow& flow) = 0;
    virtual void recorded(Nanos now, const Record& record) = 0;
    // Nothing more will come.
    virtual void finish() = 0;
    // What it counts of itself.
    [[nodiscard]] virtual std::vector<std::pair<std::string, double>> figures() const { return {}; }
};

struct FeedCounts {
    std::uint64_t flows = 0;
    std::uint64_t records = 0;
    std::uint64_t exchanges = 0;
    std::uint64_t live_flows_max = 0;
    Nanos last;
};

// Plays `folder` (flows.jsonl and accounts.jsonl, or their .bin forms) to `audience`. The arrival
// of a record is where it stands in its file: the highest request time so far. `stop_ns` ends the
// play early; 0 plays all. `progress` is called every 2^18 flows.
class Feed {
  public:
    static Result<std::unique_ptr<Feed>> open(const std::string& folder);
    Status play(Audience& audience, std::int64_t stop_ns,
                void (*progress)(const FeedCounts&, void*), void* context);
    [[nodiscard]] const FeedCounts& counts() const { return counts_; }

  private:
    struct Ending {
        std::int64_t at;
        std::uint64_t order;  // of two flows that end together, the one that opened first
        std::uint32_t slot;
        bool operator>(const Ending& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    Feed(std::unique_ptr<BatchSource> flows, std::unique_ptr<BatchSource> records)
        : flows_(std::move(flows)), records_(std::move(records)) {}
    Status refill(Prefetch& from, Batch& batch, std::size_t& at, bool& done, Audience& audience);
    void close_until(std::int64_t now, Audience& audience);
    void open_next(Audience& audience);

    Prefetch flows_;
    Prefetch records_;
    Batch flow_batch_;
    Batch record_batch_;
    std::size_t flow_at_ = 0;
    std::size_t record_at_ = 0;
    bool flows_done_ = false;
    bool records_done_ = false;
    std::int64_t arrival_ = 0;
    std::vector<model::Flow> live_;
    std::vector<std::uint32_t> free_;
    std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings_;
    FeedCounts counts_;
};

}  // namespace seine::evaluate
