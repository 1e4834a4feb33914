// A farm event says from how many accounts to how many: those are its members in the order they came.
#include "control/service/account_evidence.h"

#include <algorithm>

namespace seine::service {
namespace {

std::vector<model::FarmMember> gained(const std::vector<model::Farm>& farms, const model::FarmEvent& told) {
    using Kind = model::FarmEvent::Kind;
    if (told.kind != Kind::found && told.kind != Kind::grown && told.kind != Kind::rotated) return {};
    const auto farm = std::find_if(farms.begin(), farms.end(), [&](const model::Farm& f) { return f.id == told.farm; });
    // Members of a cluster of machines are told with their campaigns.
    if (farm == farms.end() || farm->level != model::FarmLevel::campaign) return {};
    std::vector<model::FarmMember> members = farm->members;
    if (told.kind == Kind::rotated) {
        std::erase_if(members, [](const model::FarmMember& member) { return !member.replaces.known(); });
        return members;
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    if (members.size() > told.accounts_now) members.resize(told.accounts_now);
    members.erase(members.begin(),
                  members.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(told.accounts_before, members.size())));
    return members;
}

}  // namespace

std::vector<model::Event> account_evidence(const std::vector<model::Farm>& farms, const model::Event& told, const Why& ask,
                                           std::size_t room, std::uint64_t& left_out) {
    std::vector<model::Event> out;
    if (told.kind != model::EventKind::farm) return out;
    std::vector<model::FarmMember> members = gained(farms, told.farm);
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.score_nats > b.score_nats; });
    for (const model::FarmMember& member : members) {
        if (out.size() >= room) {
            ++left_out;
            continue;
        }
        detect::Explanation why = ask(member.account);
        if (!why.known || why.result.farm != told.farm.farm) continue;
        model::Event event = told;
        event.kind = model::EventKind::account_evidence;
        event.account = member.account;
        event.title = "account of farm F-" + std::to_string(told.farm.farm);
        event.message = std::move(why.summary);
        event.score_nats = why.result.score_nats;
        event.evidence = std::move(why.lines);
        out.push_back(std::move(event));
    }
    return out;
}

}  // namespace seine::service
