// Walks farms by id and members by slot, so that a step can go on wherever the last one ended.
#include "control/detect/farm_list.h"

#include <algorithm>

#include "control/detect/account_table.h"
#include "control/detect/registry.h"

namespace seine::detect {
namespace {

model::Farm head_of(const FarmRecord& record) {
    model::Farm farm;
    farm.id = record.id;
    farm.parent = record.parent;
    farm.state = record.state;
    farm.level = record.level;
    farm.provisional = record.provisional;
    farm.score_nats = record.score;
    farm.first_seen = record.first_seen;
    farm.last_seen = record.last_seen;
    farm.groups = record.groups;
    farm.evidence = record.evidence;
    return farm;
}

}  // namespace

std::uint64_t FarmList::version(const Registry& registry, const AccountTable& accounts) {
    return registry.changes() + accounts.member_changes();
}

void FarmList::begin() {
    farms_.clear();
    orgs_.clear();
    begun_ = true;
    inside_ = false;
}

bool FarmList::step(const Registry& registry, const AccountTable& accounts, std::uint32_t most) {
    if (!begun_ || version_ != version(registry, accounts)) begin();
    version_ = version(registry, accounts);
    auto at = farms_.empty() ? registry.farms().begin()
              : inside_      ? registry.farms().find(farms_.back().id)
                             : registry.farms().upper_bound(farms_.back().id);
    for (; at != registry.farms().end(); ++at) {
        const FarmRecord& record = at->second;
        if (!inside_) {
            farms_.push_back(head_of(record));
            orgs_.emplace_back();
            farms_.back().members.reserve(record.members.size());
            orgs_.back().reserve(record.members.size());
            slot_ = 0;
            inside_ = true;
        }
        for (auto m = record.members.lower_bound(slot_); m != record.members.end(); ++m, --most) {
            if (most == 0) {
                slot_ = m->first;
                return false;
            }
            const Account& account = accounts[m->first];
            const MemberRecord& member = m->second;
            farms_.back().members.push_back(
                {account.tag, account.org, member.score, member.since, member.replaces});
            orgs_.back().push_back(account.org_index);
        }
        inside_ = false;
    }
    return true;
}

std::vector<model::Farm> FarmList::take() {
    for (std::size_t f = 0; f < farms_.size(); ++f) {
        std::vector<std::uint32_t>& orgs = orgs_[f];
        std::sort(orgs.begin(), orgs.end());
        farms_[f].accounts = static_cast<std::uint32_t>(farms_[f].members.size());
        farms_[f].organisations =
            static_cast<std::uint32_t>(std::unique(orgs.begin(), orgs.end()) - orgs.begin());
    }
    return std::move(farms_);
}

}  // namespace seine::detect
