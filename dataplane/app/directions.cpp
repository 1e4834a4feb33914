#include "dataplane/app/directions.h"

namespace seine::app {
namespace {

std::string percent(std::uint64_t hundredths) {
    return std::to_string((hundredths + 50) / 100) + " %";
}

}  // namespace

std::uint64_t Directions::one_sided_share() const noexcept {
    return sum() == 0 ? 0 : (client_only + server_only) * 10'000 / sum();
}

Directions directions_of(const std::vector<runtime::NamedCount>& totals) {
    Directions out;
    for (const auto& count : totals) {
        if (count.name == "flows_seen_both") out.both = count.value;
        if (count.name == "flows_seen_client_only") out.client_only = count.value;
        if (count.name == "flows_seen_server_only") out.server_only = count.value;
    }
    return out;
}

std::string DirectionWatch::tend(const Directions& now, std::int64_t now_ns) {
    if (!begun_) {
        begun_ = true;
        begin_ = now;
        since_ns_ = now_ns;
        return {};
    }
    const Directions stretch{now.both - begin_.both, now.client_only - begin_.client_only,
                             now.server_only - begin_.server_only};
    if (now_ns - since_ns_ < kStretchNs || stretch.sum() < kFlowsMin) return {};
    last_ = stretch;
    begin_ = now;
    since_ns_ = now_ns;
    const std::uint64_t share = stretch.one_sided_share();
    const std::uint64_t change = share > told_share_ ? share - told_share_ : told_share_ - share;
    if (change < kChangeMin) return {};
    const std::uint64_t before = told_share_;
    told_share_ = share;
    const char* side = stretch.client_only >= stretch.server_only ? "the client's" : "the server's";
    return "of " + percent(share) +
           " of the flows that ended in the last minute only one direction was seen, mostly " +
           side + " (before: " + percent(before) + "); " +
           (share > before ? "is one mirror, fibre or route missing?" : "the other one is back");
}

}  // namespace seine::app
