// A ring of entries and an index.
#include "control/service/recent_flows.h"

namespace seine::service {

RecentFlows::Entry* RecentFlows::find(const contract::FlowId& id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &entries_[found->second];
}

const RecentFlows::Entry* RecentFlows::find(const contract::FlowId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &entries_[found->second];
}

RecentFlows::Entry& RecentFlows::of(const contract::FlowId& id) {
    if (Entry* there = find(id)) return *there;
    const std::size_t at = next_;
    next_ = (next_ + 1) % entries_.size();
    Entry& entry = entries_[at];
    if (entry.used) by_id_.erase(entry.id);
    entry.id = id;
    entry.used = true;
    entry.row_kept = false;
    entry.values.clear();
    entry.accounts.clear();
    by_id_.emplace(id, at);
    return entry;
}

}  // namespace seine::service
