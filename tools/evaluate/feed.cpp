#include "tools/evaluate/feed.h"

#include <algorithm>
#include <limits>
#include <unistd.h>
#include <utility>

#include "tools/evaluate/json_lines.h"
#include "tools/evaluate/packed_source.h"

namespace seine::evaluate {

Result<std::unique_ptr<Feed>> Feed::open(const std::string& folder) {
    const bool packed = ::access((folder + "/flows.bin").c_str(), R_OK) == 0;
    auto flows = packed ? open_packed_flows(folder + "/flows.bin")
                        : open_flow_lines(folder + "/flows.jsonl");
    if (!flows) return flows.error();
    auto records = packed ? open_packed_records(folder + "/accounts.bin")
                          : open_record_lines(folder + "/accounts.jsonl");
    if (!records) return records.error();
    return std::unique_ptr<Feed>(new Feed(std::move(flows).value(), std::move(records).value()));
}

Status Feed::refill(Prefetch& from, Batch& batch, std::size_t& at, bool& done, Audience& audience) {
    const std::size_t have = std::max(batch.flows.size(), batch.records.size());
    if (done || at < have) return {};
    at = 0;
    if (Status s = from.next(batch); !s.ok()) return s;
    for (const auto& [id, text] : batch.texts) audience.text(id, text);
    done = batch.flows.empty() && batch.records.empty();
    return {};
}

void Feed::close_until(std::int64_t now, Audience& audience) {
    while (!endings_.empty() && endings_.top().at <= now) {
        const Ending ending = endings_.top();
        endings_.pop();
        model::Flow& flow = live_[ending.slot];
        audience.closed(Nanos{ending.at}, flow);
        flow = model::Flow();
        free_.push_back(ending.slot);
    }
}

void Feed::open_next(Audience& audience) {
    model::Flow& next = flow_batch_.flows[flow_at_++];
    ++counts_.flows;
    counts_.exchanges += next.exchanges.size();
    counts_.last = next.t_open;
    std::vector<model::Exchange> later = std::move(next.exchanges);
    next.exchanges = {};
    next.closed = false;
    audience.opened(next.t_open, next);
    next.closed = true;
    next.exchanges = std::move(later);
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(live_.size());
        live_.push_back(std::move(next));
    } else {
        slot = free_.back();
        free_.pop_back();
        live_[slot] = std::move(next);
    }
    endings_.push({live_[slot].t_close.count, counts_.flows, slot});
    counts_.live_flows_max = std::max<std::uint64_t>(counts_.live_flows_max, endings_.size());
}

Status Feed::play(Audience& audience, std::int64_t stop_ns,
                  void (*progress)(const FeedCounts&, void*), void* context) {
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    for (;;) {
        if (Status s = refill(flows_, flow_batch_, flow_at_, flows_done_, audience); !s.ok())
            return s;
        if (Status s = refill(records_, record_batch_, record_at_, records_done_, audience);
            !s.ok())
            return s;
        const std::int64_t open_at =
            flows_done_ ? kNever : flow_batch_.flows[flow_at_].t_open.count;
        std::int64_t record_at = kNever;
        if (!records_done_) {
            const auto t =
                static_cast<std::int64_t>(record_batch_.records[record_at_].wire.t_req_us) * 1000;
            record_at = std::max(arrival_, t);
        }
        if (open_at == kNever && record_at == kNever) break;
        const std::int64_t now = std::min(open_at, record_at);
        if (stop_ns != 0 && now >= stop_ns) return {};
        close_until(now, audience);
        if (open_at <= record_at) {
            open_next(audience);
            if ((counts_.flows & ((1u << 18) - 1)) == 0 && progress != nullptr)
                progress(counts_, context);
        } else {
            arrival_ = record_at;
            audience.recorded(Nanos{record_at}, record_batch_.records[record_at_++]);
            ++counts_.records;
        }
    }
    close_until(kNever, audience);
    return {};
}

}  // namespace seine::evaluate
