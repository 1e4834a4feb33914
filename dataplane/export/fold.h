// The records of one flow folded into one: what seine-replay and `--records jsonl` print per flow.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "dataplane/contract/frame.h"

namespace seine::exporting {

struct FoldLimits {
    // 0: no bound. At the bound the flow that has been open longest is given out early; what comes
    // of it later makes a second line.
    std::size_t flows_max = 0;
    std::size_t flow_bytes_max = std::size_t{16}
                                 << 20;  // of strings; more are left out, truncated is set
};

// Rules are the fold column of the field table. Deterministic: the same frames give the same flows
// in the same order.
class Fold {
  public:
    // A folded flow, borrowed for the call. Its kind is that of the last record.
    using Emit = std::function<void(const contract::RecordView& flow)>;

    Fold(const FoldLimits& limits, Emit emit);
    ~Fold();
    // Adds one record; a close gives the flow out.
    void add(const contract::RecordView& record);
    // End of input: gives out what is still open, oldest first.
    void finish();
    [[nodiscard]] std::size_t open_flows() const noexcept;
    // Flows given out before their close because of flows_max.
    [[nodiscard]] std::uint64_t early() const noexcept { return early_; }

  private:
    struct Flow;
    struct FlowHash {
        std::size_t operator()(const contract::FlowId& id) const noexcept;
    };
    using Flows = std::list<Flow>;

    void merge(Flow& flow, const contract::RecordView& record);
    void give_out(Flows::iterator flow);

    FoldLimits limits_;
    Emit emit_;
    Flows flows_;  // oldest first
    std::unordered_map<contract::FlowId, Flows::iterator, FlowHash> by_id_;
    std::uint64_t early_ = 0;
};

}  // namespace seine::exporting
