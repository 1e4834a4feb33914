// `farm timeline|diff|graph` and `farm split`: what a farm did, and what it looks like.
#include <algorithm>
#include <map>

#include "control/command/json_builder.h"
#include "control/command/json_value.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/author.h"
#include "control/service/farm_part.h"
#include "control/service/parts.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

// A picture names accounts one by one up to here; more are counted by network and client.
constexpr std::size_t kNamed = 48;
constexpr std::size_t kEventsMax = 1000;
constexpr std::int64_t kHour = 3600 * kSecond;


struct Known {
    model::Farm farm;
    std::vector<detect::MemberView> members;
};

Result<Known> known_farm(const command::Request& request, const Parts& parts, const char* argument) {
    const auto id = farm_of(request.arguments, argument);
    if (!id) return id.error();
    const FarmPart::FarmsView farms = parts.farms->farms();
    for (const model::Farm& farm : *farms) {
        if (farm.id == *id) return Known{farm, parts.farms->members(*id)};
    }
    return Status(Code::not_found, "no farm " + farm_text(*id) + "; seinectl farm list prints those there are");
}

struct Moment {
    Nanos at;
    std::string what, detail;
};

// Accounts that came, were closed or took a closed one's place, an entry for each hour of each.
void add_accounts(const std::vector<detect::MemberView>& members, std::vector<Moment>& out) {
    std::map<std::int64_t, std::size_t> came, replaced, closed;
    for (const detect::MemberView& m : members) {
        ++(m.replaces.known() ? replaced : came)[m.since.count / kHour];
        if (m.closed.count != 0) ++closed[m.closed.count / kHour];
    }
    const auto tell = [&out](const auto& by_hour, const char* what, const char* one, const char* many) {
        for (const auto& [hour, n] : by_hour)
            out.push_back({{hour * kHour}, what, std::to_string(n) + (n == 1 ? one : many)});
    };
    tell(came, "alerted", " account", " accounts");
    tell(replaced, "replaced", " account in place of a closed one", " accounts in place of closed ones");
    tell(closed, "closed", " account", " accounts");
}

Result<std::string> timeline(const command::Request& request, const Parts& parts) {
    auto known = known_farm(request, parts, "farm");
    if (!known) return known.error();
    std::vector<Moment> moments;
    store::FindingQuery query;
    query.farm = known->farm.id;
    query.limit = kEventsMax;
    const auto findings = parts.store->findings(query);
    if (!findings) return findings.error();
    for (const store::Finding& finding : *findings) {
        const auto colon = finding.title.find(':');
        const auto document = command::JsonValue::parse(finding.document);
        moments.push_back({finding.at, finding.title.substr(0, colon),
                           document ? (*document)["farm_event"]["reason"].text() : std::string()});
    }
    add_accounts(known->members, moments);
    moments.push_back({known->farm.first_seen, "first connection", "of an account that is of the farm now"});
    std::stable_sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) { return a.at < b.at; });
    command::JsonBuilder json;
    json.object().field("farm", farm_text(known->farm.id)).key("timeline").array();
    for (const Moment& m : moments)
        json.object().field("at", m.at.count).field("what", m.what).field("detail", m.detail).end();
    json.end().end();
    return json.take();
}

Result<std::string> diff(const command::Request& request, const Parts& parts) {
    auto known = known_farm(request, parts, "farm");
    if (!known) return known.error();
    auto from = since(request.arguments, parts.now());
    if (!from) return from.error();
    if (from->count == 0) *from = parts.now() + -24 * kHour;
    command::JsonBuilder json;
    json.object().field("farm", farm_text(known->farm.id)).field("since", from->count);
    const auto list = [&](const char* name, const auto& belongs) {
        json.key(name).array();
        for (const detect::MemberView& m : known->members) {
            if (!belongs(m)) continue;
            json.object().field("account", model::to_text(m.account)).field("score_nats", m.score_nats);
            json.field("since", m.since.count).field("last", m.last.count);
            if (m.closed.count != 0) json.field("closed", m.closed.count);
            if (m.replaces.known()) json.field("replaces", model::to_text(m.replaces));
            json.field("network", m.network).field("client", m.client).end();
        }
        json.end();
    };
    list("joined", [&](const auto& m) { return m.since >= *from; });
    list("closed", [&](const auto& m) { return m.closed.count != 0 && m.closed >= *from; });
    list("silent", [&](const auto& m) { return m.last < *from && m.closed.count == 0; });
    std::size_t before = 0;
    for (const detect::MemberView& m : known->members) before += m.since < *from ? 1 : 0;
    json.field("accounts_before", before).field("accounts_now", known->members.size()).end();
    return json.take();
}

Result<std::string> graph(const command::Request& request, const Parts& parts) {
    auto known = known_farm(request, parts, "farm");
    if (!known) return known.error();
    command::JsonBuilder json;
    json.object().field("farm", farm_text(known->farm.id)).field("accounts", known->members.size());
    json.field("organisations", known->farm.organisations);
    // (network, client) with how many accounts show both most.
    std::map<std::pair<std::string, std::string>, std::size_t> both;
    for (const detect::MemberView& m : known->members) ++both[{m.network, m.client}];
    json.key("ties").array();
    for (const auto& [tie, n] : both)
        json.object().field("network", tie.first).field("client", tie.second).field("accounts", n).end();
    json.end().key("members").array();
    for (std::size_t i = 0; i < known->members.size() && known->members.size() <= kNamed; ++i) {
        const detect::MemberView& m = known->members[i];
        json.object().field("account", model::to_text(m.account)).field("network", m.network);
        json.field("address", m.address).field("client", m.client).field("closed", m.closed.count != 0).end();
    }
    json.end().key("evidence").array();
    for (const model::EvidenceLine& line : known->farm.evidence) json.text(line.sentence);
    json.end().end();
    return json.take();
}

// Rules of the running revision with what they left out so far.
Result<std::string> feedback(const Parts& parts) {
    constexpr const char* kSubjects[] = {"", "asn", "prefix", "address", "stack", "organisation", "account"};
    constexpr const char* kEffects[] = {"", "exclude", "cap", "prior", "intermediary", "class"};
    using Effect = detect::FeedbackRule::Effect;
    command::JsonBuilder json;
    json.object().key("rules").array();
    for (const detect::FeedbackRule& rule : parts.farms->rules()) {
        const auto subject = static_cast<std::size_t>(rule.subject);
        json.object().field("rule", rule.reason.substr(0, rule.reason.find(": "))).field("subject", kSubjects[subject]);
        json.field("effect", kEffects[static_cast<std::size_t>(rule.effect)]);
        if (rule.effect == Effect::cap) json.field("group", detect::name_of(rule.group));
        if (rule.effect == Effect::cap || rule.effect == Effect::prior) json.field("nats", rule.nats);
        if (rule.effect == Effect::network) json.field("class", name_of(rule.net));
        json.field("owner", rule.owner).field("reason", rule.reason);
        json.field("since", rule.since.count).field("expires", rule.expires.count).field("hits", rule.hits).end();
    }
    json.end().end();
    return json.take();
}

Result<std::string> split(const command::Request& request, const Parts& parts) {
    const auto id = farm_of(request.arguments, "farm");
    if (!id) return id.error();
    const std::string& words = request.arguments.text("reason");
    if (words.empty()) return Status(Code::usage, "say why: --reason \"another reseller's accounts\"");
    std::vector<model::AccountTag> accounts;
    for (const std::string& text : request.arguments.texts("account")) {
        command::Arguments one;
        one.set("account", text);
        const auto account = account_of(one, "account", *parts.store);
        if (!account) return account.error();
        accounts.push_back(*account);
    }
    const std::string reason = words + " (" + author_of(request.peer) + ")";
    const auto fresh = parts.farms->split(*id, accounts, reason);
    if (!fresh) return fresh.error();
    command::JsonBuilder json;
    json.object().field("farm", farm_text(*fresh)).field("split_from", farm_text(*id));
    json.field("accounts", accounts.size()).field("reason", reason).end();
    return json.take();
}

}  // namespace

void add_farm_view_answers(Answers& answers, Parts& parts) {
    using command::Role;
    answers.add("farm", "timeline", Role::reader, [&parts](const auto& r) { return timeline(r, parts); });
    answers.add("farm", "diff", Role::reader, [&parts](const auto& r) { return diff(r, parts); });
    answers.add("farm", "graph", Role::reader, [&parts](const auto& r) { return graph(r, parts); });
    answers.add("farm", "feedback", Role::reader, [&parts](const auto&) { return feedback(parts); });
    answers.add("farm", "split", Role::operating, [&parts](const auto& r) { return split(r, parts); });
}

}  // namespace seine::service
