// A farm event says from how many accounts to how many: those are its members in the order they came.
#include "control/service/account_evidence.h"

#include <algorithm>

namespace seine::service {
namespace {

std::vector<detect::MemberView> gained(const detect::Engine& engine, const model::Event& told) {
    using Kind = model::FarmEvent::Kind;
    const model::FarmEvent& farm = told.farm;
    if (farm.kind != Kind::found && farm.kind != Kind::grown && farm.kind != Kind::rotated) return {};
    std::vector<detect::MemberView> members = engine.members(farm.farm);
    if (farm.kind == Kind::rotated) {
        std::erase_if(members, [](const detect::MemberView& member) { return !member.replaces.known(); });
        return members;
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    if (members.size() > farm.accounts_now) members.resize(farm.accounts_now);
    members.erase(members.begin(),
                  members.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(farm.accounts_before, members.size())));
    return members;
}

}  // namespace

std::vector<model::Event> account_evidence(const detect::Engine& engine, const model::Event& told, std::size_t room,
                                           std::uint64_t& left_out) {
    std::vector<model::Event> out;
    if (told.kind != model::EventKind::farm) return out;
    std::vector<detect::MemberView> members = gained(engine, told);
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.score_nats > b.score_nats; });
    for (const detect::MemberView& member : members) {
        detect::Explanation why = engine.why(member.account);
        // Also a member of a cluster of machines: told with its campaign.
        if (!why.known || why.result.farm != told.farm.farm) continue;
        if (out.size() >= room) {
            ++left_out;
            continue;
        }
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
