// `alert`: what was found, newest first.
#include "control/command/json_builder.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/parts.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

constexpr const char* kKinds[] = {"", "signature", "flow", "farm", "account", "health"};
constexpr const char* kSeverities[] = {"", "info", "low", "medium", "high", "critical"};

template <std::size_t Count>
std::uint8_t place_of(const char* const (&names)[Count], const std::string& name) {
    for (std::size_t i = 1; i < Count; ++i) {
        if (name == names[i]) return static_cast<std::uint8_t>(i);
    }
    return 0;
}

template <std::size_t Count>
const char* name_at(const char* const (&names)[Count], std::uint8_t place) {
    return place < Count ? names[place] : "";
}

void add_finding(command::JsonBuilder& json, const store::Finding& finding, bool whole) {
    json.object().field("id", finding.number).field("at_ns", finding.at.count);
    json.field("kind", name_at(kKinds, finding.kind)).field("severity", name_at(kSeverities, finding.severity));
    json.field("rule", finding.rule).field("title", finding.title);
    if (finding.account.known()) json.field("account", model::to_text(finding.account));
    if (finding.farm != 0) json.field("farm", "F-" + std::to_string(finding.farm));
    if (whole && !finding.document.empty()) json.key("details").raw(finding.document);
    json.end();
}

Result<std::string> list_findings(const command::Request& request, const Parts& parts) {
    const command::Arguments& arguments = request.arguments;
    store::FindingQuery query;
    if (arguments.has("kind")) {
        query.kind = place_of(kKinds, arguments.text("kind"));
        if (query.kind == 0) return Status(Code::usage, "kind takes one of: signature flow farm account health");
    }
    if (arguments.has("severity")) {
        query.severity_least = place_of(kSeverities, arguments.text("severity"));
        if (query.severity_least == 0) return Status(Code::usage, "severity takes one of: info low medium high critical");
    }
    query.rule = arguments.text("rule");
    if (arguments.has("account")) {
        const auto account = account_of(arguments, "account", *parts.store);
        if (!account) return account.error();
        query.account = *account;
    }
    const auto from = since(arguments, parts.now());
    if (!from) return from.error();
    query.from = *from;
    const auto after = arguments.number("after", 0, 0, INT64_MAX);
    if (!after) return after.error();
    query.after = *after;
    const auto limit = arguments.number("limit", 50, 1, 10'000);
    if (!limit) return limit.error();
    query.limit = *limit;
    const auto rows = parts.store->findings(query);
    if (!rows) return rows.error();
    command::JsonBuilder json;
    json.object().key("alerts").array();
    for (const store::Finding& finding : *rows) add_finding(json, finding, false);
    json.end().end();
    return json.take();
}

Result<std::string> show_finding(const command::Request& request, const Parts& parts) {
    const auto id = request.arguments.number("alert", 0, 1, INT64_MAX);
    if (!id) return id.error();
    const auto finding = parts.store->finding(*id);
    if (!finding) return finding.error();
    command::JsonBuilder json;
    add_finding(json, *finding, true);
    return json.take();
}

}  // namespace

void add_alert_answers(Answers& answers, Parts& parts) {
    answers.add("alert", "list", command::Role::reader, [&parts](const auto& request) { return list_findings(request, parts); });
    answers.add("alert", "show", command::Role::reader, [&parts](const auto& request) { return show_finding(request, parts); });
}

}  // namespace seine::service
