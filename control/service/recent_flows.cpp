// A ring of entries and an index: chains of places.
#include "control/service/recent_flows.h"

namespace seine::service {

RecentFlows::Entry* RecentFlows::find(const contract::FlowId& id) {
    for (std::uint32_t at = head_of(id); at != 0; at = entries_[at - 1].next) {
        if (entries_[at - 1].id == id) return &entries_[at - 1];
    }
    return nullptr;
}

const RecentFlows::Entry* RecentFlows::find(const contract::FlowId& id) const {
    return const_cast<RecentFlows*>(this)->find(id);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

void RecentFlows::unlink(Entry& entry) {
    for (std::uint32_t* at = &head_of(entry.id); *at != 0; at = &entries_[*at - 1].next) {
        if (&entries_[*at - 1] != &entry) continue;
        *at = entry.next;
        return;
    }
}

void RecentFlows::fetch_oldest(std::size_t count) const noexcept {
    const auto each = [this, count](auto visit) {
        for (std::size_t i = 0; i < count; ++i) visit(entries_[(next_ + i) % entries_.size()]);
    };
    each([](const Entry& entry) { fetch(entry); });
    each([this](const Entry& entry) {
        fetch_head(entry.id);
        fetch_lists(entry);
    });
}

RecentFlows::Entry& RecentFlows::of(const contract::FlowId& id) {
    if (Entry* there = find(id)) return *there;
    const std::size_t at = next_;
    next_ = (next_ + 1) % entries_.size();
    Entry& entry = entries_[at];
    if (entry.used) unlink(entry);
    entry.id = id;
    entry.used = true;
    entry.row_kept = false;
    entry.address = entry.prefix = 0;
    entry.values.clear();
    entry.accounts.clear();
    std::uint32_t& head = head_of(id);
    entry.next = head;
    head = static_cast<std::uint32_t>(at + 1);
    return entry;
}

}  // namespace seine::service
