// `signature`: what control knows of rules: values to try them on, and what their alerts came to.
#include <algorithm>
#include <map>
#include <set>

#include "control/command/json_builder.h"
#include "control/model/event.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/joined_part.h"
#include "control/service/parts.h"
#include "control/service/value_fields.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

constexpr std::size_t kValuesMost = 100'000;
constexpr std::size_t kAccountsShown = 3;
constexpr std::size_t kAlertsMost = 500'000;
constexpr std::size_t kAlertsAPage = 2'000;

// A field's values over the days, most flows first: what `signature try` runs rules on.
Result<std::string> values(const command::Request& request, const Parts& parts) {
    const std::uint16_t field = field_number(request.arguments.text("field"));
    if (field == 0) return Status(Code::usage, "field takes the name of a field of a record (docs/records.md)");
    const auto days = days_of(request.arguments, parts.now());
    if (!days) return days.error();
    const auto limit = request.arguments.number("limit", 50'000, 1, kValuesMost);
    if (!limit) return limit.error();
    const auto totals = parts.store->totals(days->first, days->last);
    if (!totals) return totals.error();
    store::ValueQuery query;
    query.field = field;
    query.first_day = days->first;
    query.last_day = days->last;
    query.by_accounts = false;
    query.limit = *limit;
    const auto rows = parts.store->values(query);
    if (!rows) return rows.error();
    command::JsonBuilder json;
    json.object().field("field", field_name(field)).field("days", days->last - days->first + 1);
    json.field("accounts_in_all", totals->accounts).field("flows_in_all", totals->flows);
    json.field("cut", rows->size() == *limit).key("values").array();
    for (const store::ValueRow& row : *rows) {
        const auto text = parts.store->text(row.value);
        if (!text) return text.error();
        json.object().field("value", *text).field("flows", row.flows).field("accounts", row.accounts);
        json.key("some_accounts").array();
        for (std::size_t i = 0; i < std::min(row.some_accounts.size(), kAccountsShown); ++i)
            json.text(model::to_text(row.some_accounts[i]));
        json.end().end();
    }
    json.end().end();
    return json.take();
}

struct Alerts {
    std::uint64_t alerts = 0;
    std::set<model::AccountTag> accounts;
    std::uint64_t without_account = 0;
    Nanos last;
};

// The alerts of each rule in these days, oldest page first. False in `whole` when there are more.
Result<std::map<std::string, Alerts>> alerts_of(const store::Store& store, Nanos from, bool& whole) {
    std::map<std::string, Alerts> out;
    store::FindingQuery query;
    query.from = from;
    query.kind = static_cast<std::uint8_t>(model::EventKind::signature_alert);
    query.limit = 1;
    // Newest first where `after` is 0: the end is known before the walk from the beginning.
    const auto newest = store.findings(query);
    if (!newest) return newest.error();
    std::uint64_t seen = 0;
    query.limit = kAlertsAPage;
    query.after = newest->empty() || newest->front().number <= kAlertsMost ? 1 : newest->front().number - kAlertsMost;
    whole = query.after == 1;
    if (newest->empty()) return out;
    const auto first = store.finding(1);
    const auto count = [&out](const store::Finding& finding) {
        Alerts& alerts = out[finding.rule];
        ++alerts.alerts;
        alerts.last = std::max(alerts.last, finding.at);
        if (finding.account.known()) alerts.accounts.insert(finding.account);
        else ++alerts.without_account;
    };
    if (first && first->kind == query.kind && first->at >= from) count(*first);
    while (seen < kAlertsMost) {
        const auto page = store.findings(query);
        if (!page) return page.error();
        for (const store::Finding& finding : *page) count(finding);
        seen += page->size();
        if (page->size() < query.limit) break;
        query.after = page->back().number;
    }
    return out;
}

void add_joined(command::JsonBuilder& json, const JoinedStatus& status) {
    json.key("joined").object().field("folder", status.folder).field("problem", status.problem);
    json.field("rules", status.rules).field("requests", status.requests).field("evaluated", status.evaluated);
    json.field("alike", status.alike).field("over_rate", status.over_rate).field("without_flow", status.without_flow);
    json.field("without_request", status.without_request).field("flows_kept", status.flows_kept);
    json.key("by_rule").array();
    for (const auto& [id, count] : status.by_rule) {
        json.object().field("id", id).field("state", count.state).field("hits", count.hits).field("findings", count.told);
        json.field("swallowed", count.swallowed).field("last_hit_ns", count.last_hit.count).end();
    }
    json.end().end();
}

// Noise: the share of all accounts of these days that a rule touched. A rule about something rare that
// touches a large part says little about each.
Result<std::string> stats(const command::Request& request, const Parts& parts) {
    const auto days = days_of(request.arguments, parts.now());
    if (!days) return days.error();
    const auto totals = parts.store->totals(days->first, days->last);
    if (!totals) return totals.error();
    bool whole = true;
    const auto rules = alerts_of(*parts.store, {static_cast<std::int64_t>(days->first) * 86400 * kSecond}, whole);
    if (!rules) return rules.error();
    command::JsonBuilder json;
    json.object().field("days", days->last - days->first + 1).field("accounts_in_all", totals->accounts);
    json.field("whole", whole).key("rules").array();
    for (const auto& [id, alerts] : *rules) {
        json.object().field("id", id).field("alerts", alerts.alerts).field("accounts", alerts.accounts.size());
        json.field("without_account", alerts.without_account);
        json.field("noise", totals->accounts == 0
                                ? 0.0
                                : static_cast<double>(alerts.accounts.size()) / static_cast<double>(totals->accounts));
        json.field("last_ns", alerts.last.count).end();
    }
    json.end();
    if (parts.joined != nullptr) add_joined(json, parts.joined->status());
    json.end();
    return json.take();
}

}  // namespace

void add_signature_answers(Answers& answers, Parts& parts) {
    answers.add("signature", "try", command::Role::reader, [&parts](const auto& request) { return values(request, parts); });
    answers.add("signature", "stats", command::Role::reader, [&parts](const auto& request) { return stats(request, parts); });
    // Done by seinectl at the dataplane; being asked puts them into the audit log.
    for (const char* verb : {"push", "confirm", "rollback", "enable", "disable", "shadow"}) {
        answers.add("signature", verb, command::Role::operating,
                    [](const auto&) { return Result<std::string>(R"({"noted":true})"); });
    }
}

}  // namespace seine::service
