// `fingerprint`: who has a value, how many, and what it is known as.
#include <set>

#include "control/command/json_builder.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/dictionary.h"
#include "control/service/parts.h"
#include "control/service/value_fields.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

Result<std::uint16_t> field_of(const command::Arguments& arguments) {
    if (!arguments.has("field")) return std::uint16_t{0};
    const std::uint16_t field = field_number(arguments.text("field"));
    if (field == 0)
        return Status(Code::usage, "field takes the name of a field of a record (docs/records.md), address, prefix or session");
    return field;
}

void add_known(command::JsonBuilder& json, const Dictionary& dictionary, std::uint16_t field, const std::string& value) {
    json.key("known_as").array();
    for (const KnownClient& client : dictionary.known(field, value)) {
        json.object().field("name", client.name).field("remark", client.remark).field("source", client.source).end();
    }
    json.end();
}

void add_value(command::JsonBuilder& json, const store::ValueRow& row, const store::DayTotals& totals) {
    json.field("flows", row.flows).field("accounts", row.accounts).field("organisations", row.organisations);
    json.field("networks", row.networks);
    json.field("share_of_accounts",
               totals.accounts == 0 ? 0.0 : static_cast<double>(row.accounts) / static_cast<double>(totals.accounts));
    json.field("share_of_flows",
               totals.flows == 0 ? 0.0 : static_cast<double>(row.flows) / static_cast<double>(totals.flows));
    json.field("first_seen_ns", row.first_seen.count).field("last_seen_ns", row.last_seen.count);
}

// The one value that begins so; the text itself where there is none, what to do where there are several.
Result<std::string> whole_value(const std::string& beginning, std::uint16_t asked, const Parts& parts) {
    constexpr std::size_t kLeast = 4;
    constexpr std::size_t kNamesTold = 5;
    std::set<std::string> found;
    for (const std::uint16_t field : fingerprint_fields()) {
        if ((asked != 0 && field != asked) || beginning.size() < kLeast) continue;
        const auto texts = parts.store->texts(field, beginning, kNamesTold + 1);
        if (!texts) return texts.error();
        for (const store::Text& text : *texts) {
            if (text.text == beginning) return beginning;
            found.insert(text.text);
        }
    }
    if (found.size() <= 1) return found.empty() ? beginning : *found.begin();
    std::string names;
    std::size_t count = 0;
    for (const std::string& one : found) names += count++ < kNamesTold ? "\n  " + one : "";
    return Status(Code::usage, beginning + " is the beginning of more than one value:" + names +
                                   (found.size() > kNamesTold ? "\n  and more" : ""));
}

Result<std::string> show_fingerprint(const command::Request& request, const Parts& parts) {
    const auto asked = field_of(request.arguments);
    if (!asked) return asked.error();
    const auto whole = whole_value(request.arguments.text("value"), *asked, parts);
    if (!whole) return whole.error();
    const std::string& value = *whole;
    const auto days = days_of(request.arguments, parts.now());
    if (!days) return days.error();
    const auto totals = parts.store->totals(days->first, days->last);
    if (!totals) return totals.error();
    command::JsonBuilder json;
    json.object().field("value", value).field("days", days->last - days->first + 1);
    json.field("accounts_in_all", totals->accounts).field("flows_in_all", totals->flows);
    json.key("fields").array();
    bool any = false;
    for (const std::uint16_t field : fingerprint_fields()) {
        if (*asked != 0 && field != *asked) continue;
        const auto row = parts.store->value(field, model::value_id(value), days->first, days->last);
        const bool known = !parts.dictionary->known(field, value).empty();
        if (!row && row.error().code() != Code::not_found) return row.error();
        if (!row && !known) continue;
        any = true;
        json.object().field("field", field_name(field));
        add_known(json, *parts.dictionary, field, value);
        add_value(json, row ? *row : store::ValueRow(), *totals);
        json.key("some_accounts").array();
        if (row) {
            for (const auto& account : row->some_accounts) json.text(model::to_text(account));
        }
        json.end().end();
    }
    json.end().end();
    if (!any) {
        return Status(Code::not_found, value + ": not seen in the last " + std::to_string(days->last - days->first + 1) +
                                           " days and not known; --days N looks further back, --field NAME at other fields");
    }
    return json.take();
}

Result<std::string> list_fingerprints(const command::Request& request, const Parts& parts) {
    auto field = field_of(request.arguments);
    if (!field) return field.error();
    if (*field == 0) field = field_number("ja4");
    const auto days = days_of(request.arguments, parts.now());
    if (!days) return days.error();
    const auto limit = request.arguments.number("limit", 30, 1, 10'000);
    if (!limit) return limit.error();
    const auto totals = parts.store->totals(days->first, days->last);
    if (!totals) return totals.error();
    store::ValueQuery query;
    query.field = *field;
    query.first_day = days->first;
    query.last_day = days->last;
    query.by_accounts = !request.arguments.has("by-flows");
    query.limit = *limit;
    const auto rows = parts.store->values(query);
    if (!rows) return rows.error();
    command::JsonBuilder json;
    json.object().field("field", field_name(*field)).field("days", days->last - days->first + 1);
    json.field("accounts_in_all", totals->accounts).field("flows_in_all", totals->flows);
    json.key("values").array();
    for (const store::ValueRow& row : *rows) {
        const auto text = parts.store->text(row.value);
        if (!text) return text.error();
        json.object().field("value", *text).field("known_as", parts.dictionary->name_of(*field, *text));
        add_value(json, row, *totals);
        json.end();
    }
    json.end().end();
    return json.take();
}

// What `seinectl fingerprint learn` read from a capture: "field=value" each.
Result<std::string> learn(const command::Request& request, const Parts& parts) {
    KnownClient client;
    client.name = request.arguments.text("as");
    client.remark = request.arguments.text("remark");
    client.source = request.arguments.text("capture");
    if (client.name.empty() || client.name.size() > 200) return Status(Code::usage, "as takes a name of 1 to 200 bytes");
    std::uint64_t added = 0;
    std::uint64_t known = 0;
    for (const std::string& pair : request.arguments.texts("value")) {
        const std::size_t at = pair.find('=');
        if (at == std::string::npos || pair.size() > 2048) return Status(Code::usage, "value takes FIELD=TEXT");
        bool fresh = false;
        const Status status =
            parts.dictionary->learn(*parts.store, pair.substr(0, at), pair.substr(at + 1), client, fresh);
        if (!status.ok()) return status;
        ++(fresh ? added : known);
    }
    command::JsonBuilder json;
    json.object().field("name", client.name).field("added", added).field("known", known).end();
    return json.take();
}

}  // namespace

void add_fingerprint_answers(Answers& answers, Parts& parts) {
    answers.add("fingerprint", "show", command::Role::reader,
                [&parts](const auto& request) { return show_fingerprint(request, parts); });
    answers.add("fingerprint", "list", command::Role::reader,
                [&parts](const auto& request) { return list_fingerprints(request, parts); });
    answers.add("fingerprint", "learn", command::Role::operating,
                [&parts](const auto& request) { return learn(request, parts); });
}

}  // namespace seine::service
