#include "dataplane/runtime/crew.h"

#include <algorithm>

namespace seine::runtime {
namespace {

// A share is a little more than its part, since flows do not spread evenly.
template <typename Number>
Number part(Number whole, unsigned workers) noexcept {
    if (workers <= 1) return whole;
    return std::max<Number>(1, static_cast<Number>(whole / workers + whole / workers / 8));
}

}  // namespace

pipeline::Limits share_of(const pipeline::Limits& whole, unsigned workers) noexcept {
    pipeline::Limits out = whole;
    out.flows_max = part(whole.flows_max, workers);
    out.cold_flows_max = part(whole.cold_flows_max, workers);
    out.stream_pool_bytes = part(whole.stream_pool_bytes, workers);
    out.fragment_datagrams_max = part(whole.fragment_datagrams_max, workers);
    out.fragment_pool_bytes = part(whole.fragment_pool_bytes, workers);
    out.exchange_blocks_max = part(whole.exchange_blocks_max, workers);
    out.h2_connections_max = part(whole.h2_connections_max, workers);
    return out;
}

Status Crew::hire(const CrewConfig& config, bool lossless, bool sleep_when_idle) {
    for (unsigned i = 0; i < config.workers; ++i) {
        WorkerConfig one;
        one.index = i;
        one.inspector = config.inspector;
        one.inspector.limits = share_of(config.inspector.limits, config.workers);
        one.inspector.worker = static_cast<std::uint16_t>(i);
        one.record_ring_bytes = config.record_ring_bytes;
        one.lossless = lossless;
        one.rules = config.rules;
        one.sleep_when_idle = sleep_when_idle;
        auto worker = Worker::make(one);
        if (!worker) return worker.error();
        workers_.push_back(std::move(*worker));
    }
    return {};
}

bool Crew::done() const noexcept {
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& worker) { return worker->done(); });
}

}  // namespace seine::runtime
