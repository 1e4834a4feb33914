// Single flows on their way into the store: chosen at their first record, written at their close.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "control/service/recent_flows.h"
#include "control/store/records.h"
#include "dataplane/contract/frame.h"

namespace seine::service {

struct FlowRowCounters {
    std::uint64_t taken = 0;       // flows whose rows are or were written
    std::uint64_t passed_over = 0;  // by sampling
    std::uint64_t crowded_out = 0;  // more live ones than there is room for
    std::uint64_t cut = 0;          // records left out of a flow that had too many
};

// Records of chosen flows are kept as they came and folded at the end. What is open is put into the
// store with each batch, so that a killed process goes on where it was. One thread.
class FlowRows {
  public:
    static constexpr char kRoom[] = "live flow";
    static constexpr std::size_t kBytesPerFlowMax = 64 * 1024;

    FlowRows(std::uint64_t rate_max, std::size_t live_max) : rate_max_(rate_max), live_max_(live_max) {}

    // What the store kept of flows that were open; before the first record.
    void restore(const std::vector<store::Document>& documents);
    // `frame` are the record's bytes.
    void record(const contract::RecordView& record, ByteView frame, RecentFlows& recent, Nanos now);
    // The accounts of a flow, all that are known now.
    void accounts(const contract::FlowId& id, const std::vector<model::AccountTag>& accounts);
    void take(store::Batch& out);
    [[nodiscard]] const FlowRowCounters& counters() const noexcept { return counters_; }
    // One of so many flows is kept at present.
    [[nodiscard]] std::uint32_t one_of() const noexcept { return one_of_; }
    [[nodiscard]] std::size_t live() const noexcept { return live_.size(); }
    [[nodiscard]] bool is_live(const contract::FlowId& id) const { return maybe_live(id) && live_.contains(id); }

  private:
    struct Live {
        std::uint32_t stands_for = 1;
        bool changed = true;  // since it was last put into a batch
        bool stored = false;
        std::vector<std::uint8_t> frames;
        std::vector<model::AccountTag> accounts;
    };
    // Most flows have no row: a table that stays in the processor's cache says so for nearly all.
    static constexpr std::size_t kHints = 1 << 18;
    [[nodiscard]] std::size_t hint_of(const contract::FlowId& id) const { return FlowIdHash()(id) >> 8 & (kHints - 1); }
    [[nodiscard]] bool maybe_live(const contract::FlowId& id) const { return hints_[hint_of(id)] != 0; }
    Live& make_live(const contract::FlowId& id, Live live);
    bool choose(const contract::FlowId& id, Nanos now);
    void finish(const contract::FlowId& id, Live& live);

    std::uint64_t rate_max_;
    std::size_t live_max_;
    FlowRowCounters counters_;
    std::unordered_map<contract::FlowId, Live, FlowIdHash> live_;
    std::vector<std::uint8_t> hints_ = std::vector<std::uint8_t>(kHints);  // live ones by hash, at most 255
    std::vector<contract::FlowId> touched_;  // to look at when a batch is made
    std::vector<store::FlowRow> rows_;
    std::unordered_map<contract::FlowId, std::size_t, FlowIdHash> row_at_;  // place in rows_
    std::vector<store::FlowAccounts> late_accounts_;
    std::vector<store::Document> gone_;
    std::int64_t second_ = 0;
    std::uint64_t in_second_ = 0;
    std::uint32_t one_of_ = 1;
};

}  // namespace seine::service
