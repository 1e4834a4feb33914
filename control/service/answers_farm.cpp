// `farm`: groups of accounts with one operator behind them, and why.
#include <algorithm>

#include "control/command/json_builder.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/author.h"
#include "control/service/farm_part.h"
#include "control/service/parts.h"

namespace seine::service {
namespace {

constexpr const char* kStates[] = {"", "emerging", "active", "rotating", "dormant", "remediated", "dismissed"};
constexpr const char* kGroups[] = {"net", "stk", "lnk", "time", "mix", "prx"};


void add_groups(command::JsonBuilder& json, std::uint8_t groups) {
    json.key("groups").array();
    for (std::size_t i = 0; i < std::size(kGroups); ++i) {
        if ((groups >> i & 1) != 0) json.text(kGroups[i]);
    }
    json.end();
}

void add_line(command::JsonBuilder& json, const model::EvidenceLine& line) {
    json.object().field("channels", line.channels).field("values", line.values).field("sentence", line.sentence);
    add_groups(json, line.groups);
    json.field("n", line.n).field("expected", line.expected).field("nats", line.nats);
    json.field("first_seen", line.first_seen.count).field("last_seen", line.last_seen.count);
    json.key("peers").array();
    for (const auto& peer : line.peers) json.text(model::to_text(peer));
    json.end().end();
}

// The members of interfaces.md section 5, then ours.
void add_farm(command::JsonBuilder& json, const model::Farm& farm) {
    const auto state = static_cast<std::size_t>(farm.state);
    json.field("id", farm_text(farm.id)).field("state", state < std::size(kStates) ? kStates[state] : "");
    json.field("level", farm.level == model::FarmLevel::campaign ? "campaign" : "infrastructure");
    json.field("accounts", farm.accounts).field("organisations", farm.organisations);
    json.field("score_nats", farm.score_nats);
    json.field("first_seen", farm.first_seen.count).field("last_seen", farm.last_seen.count);
    add_groups(json, farm.groups);
    json.field("provisional", farm.provisional);
    if (farm.parent != 0) json.field("parent", farm_text(farm.parent));
}

Result<std::string> list_farms(const command::Request& request, const Parts& parts) {
    const auto limit = request.arguments.number("limit", 100, 1, 100'000);
    if (!limit) return limit.error();
    const std::string& state = request.arguments.text("state");
    const FarmPart::FarmsView known = parts.farms->farms();
    std::vector<const model::Farm*> farms;
    for (const model::Farm& farm : *known) farms.push_back(&farm);
    std::stable_sort(farms.begin(), farms.end(),
                     [](const model::Farm* a, const model::Farm* b) { return a->accounts > b->accounts; });
    command::JsonBuilder json;
    json.array();
    std::size_t shown = 0;
    for (const model::Farm* farm : farms) {
        const auto place = static_cast<std::size_t>(farm->state);
        if (!state.empty() && (place >= std::size(kStates) || state != kStates[place])) continue;
        if (shown++ == *limit) break;
        json.object();
        add_farm(json, *farm);
        json.end();
    }
    json.end();
    return json.take();
}

Result<std::uint64_t> id_of(const command::Request& request, const char* argument) {
    return farm_of(request.arguments, argument);
}

Result<std::string> show_farm(const command::Request& request, const Parts& parts) {
    const auto known = id_of(request, "farm");
    if (!known) return known.error();
    const std::uint64_t id = *known;
    const FarmPart::FarmsView known_farms = parts.farms->farms();
    for (const model::Farm& farm : *known_farms) {
        if (farm.id != id) continue;
        command::JsonBuilder json;
        json.object();
        add_farm(json, farm);
        json.key("members").array();
        for (const model::FarmMember& member : farm.members) {
            json.object().field("account", model::to_text(member.account)).field("score_nats", member.score_nats);
            json.field("since", member.since.count);
            if (member.replaces.known()) json.field("replaces", model::to_text(member.replaces));
            if (member.org.known()) json.field("organisation", model::to_text(member.org));
            json.end();
        }
        json.end().key("evidence").array();
        for (const model::EvidenceLine& line : farm.evidence) add_line(json, line);
        json.end().end();
        return json.take();
    }
    return Status(Code::not_found, "no farm " + farm_text(id) + "; seinectl farm list prints those there are");
}

Result<std::string> why(const command::Request& request, const Parts& parts) {
    const auto account = account_of(request.arguments, "account", *parts.store);
    if (!account) return account.error();
    const detect::Explanation answer = parts.farms->why(*account);
    if (!answer.known)
        return Status(Code::not_found, "detection has not seen account " + model::to_text(*account) + " in its window");
    command::JsonBuilder json;
    json.object().field("account", model::to_text(*account)).field("score_nats", answer.result.score_nats);
    json.field("alerted", answer.result.alerted).field("provisional", answer.result.provisional);
    if (answer.result.farm != 0) json.field("farm", farm_text(answer.result.farm));
    if (answer.result.first_alert.count != 0) json.field("first_alert", answer.result.first_alert.count);
    json.field("summary", answer.summary).key("lines").array();
    for (const model::EvidenceLine& line : answer.lines) add_line(json, line);
    json.end().end();
    return json.take();
}

// What an analyst decides is told with who said it and why.
enum class Decision { confirm, dismiss, merge };

Result<std::string> decide(const command::Request& request, const Parts& parts, Decision decision) {
    const auto id = id_of(request, "farm");
    if (!id) return id.error();
    if (decision == Decision::merge) {
        const auto other = id_of(request, "other");
        if (!other) return other.error();
        if (Status status = parts.farms->merge(*id, *other); !status.ok()) return status;
        return command::JsonBuilder().object().field("farm", farm_text(*id)).field("merged", farm_text(*other)).end().take();
    }
    const std::string& words = request.arguments.text("reason");
    if (words.empty()) return Status(Code::usage, "say why: --reason \"known reseller, see contract\"");
    const std::string reason = words + " (" + author_of(request.peer) + ")";
    Status status = decision == Decision::confirm ? parts.farms->confirm(*id, reason)
                                                  : parts.farms->dismiss(*id, reason);
    if (!status.ok()) return status;
    return command::JsonBuilder()
        .object()
        .field("farm", farm_text(*id))
        .field("state", decision == Decision::confirm ? "confirmed" : "dismissed")
        .field("reason", reason)
        .end()
        .take();
}

}  // namespace

void add_farm_answers(Answers& answers, Parts& parts) {
    answers.add("farm", "list", command::Role::reader, [&parts](const auto& request) { return list_farms(request, parts); });
    answers.add("farm", "show", command::Role::reader, [&parts](const auto& request) { return show_farm(request, parts); });
    for (const auto& [verb, decision] : {std::pair{"confirm", Decision::confirm},
                                         std::pair{"dismiss", Decision::dismiss},
                                         std::pair{"merge", Decision::merge}}) {
        answers.add("farm", verb, command::Role::operating,
                    [&parts, what = decision](const auto& request) { return decide(request, parts, what); });
    }
    answers.add("farm", "why", command::Role::reader, [&parts](const auto& request) { return why(request, parts); });
}

}  // namespace seine::service
