// `account`: what was seen of accounts.
#include "control/command/json_builder.h"
#include "control/service/answer_words.h"
#include "control/service/answers.h"
#include "control/service/author.h"
#include "control/service/dictionary.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"
#include "control/service/value_fields.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

constexpr std::pair<std::uint16_t, const char*> kFlags[] = {
    {1, "ipv6"}, {2, "resumed"}, {4, "h2"}, {8, "h3"}, {16, "signup"}, {32, "key_created"}, {64, "declared_intermediary"}};
constexpr const char* kModes[] = {"", "link", "log", "inline", "pp2", "import"};

void add_account(command::JsonBuilder& json, const store::AccountRow& row) {
    json.field("account", model::to_text(row.account));
    if (row.org.known()) json.field("organisation", model::to_text(row.org));
    json.field("first_seen_ns", row.first_seen.count).field("last_seen_ns", row.last_seen.count);
    json.field("flows", row.flows).field("requests", row.requests).field("limited", row.limited).field("errors", row.errors);
    json.key("sources").array();
    for (std::size_t i = 1; i < std::size(kModes); ++i) {
        if ((row.modes >> i & 1) != 0) json.text(kModes[i]);
    }
    json.end();
    json.key("flags").array();
    for (const auto& [bit, name] : kFlags) {
        if ((row.flags & bit) != 0) json.text(name);
    }
    json.end();
    if (row.first_seen_day != 0) json.field("signup_day", row.first_seen_day);
    if (row.tier != 0) json.field("tier", std::uint32_t{row.tier});
    if (row.trust != 0) json.field("trust", std::uint32_t{row.trust});
    json.field("closed", row.closed);
    if (row.closed) json.field("closed_ns", row.closed_at.count);
}

Result<std::string> list_accounts(const command::Request& request, const Parts& parts) {
    store::AccountQuery query;
    query.beginning = request.arguments.text("beginning");
    query.newest = request.arguments.has("recent");
    if (request.arguments.has("organisation")) {
        model::OrgTag org;
        if (!model::from_text(request.arguments.text("organisation"), org))
            return Status(Code::usage, "organisation takes the 32 hex digits of its tag");
        query.org = org;
    }
    if (request.arguments.has("after") && !model::from_text(request.arguments.text("after"), query.after))
        return Status(Code::usage, "after takes the 32 hex digits of a tag");
    const auto limit = request.arguments.number("limit", 50, 1, 100'000);
    if (!limit) return limit.error();
    query.limit = *limit;
    const auto rows = parts.store->accounts(query);
    if (!rows) return rows.error();
    command::JsonBuilder json;
    json.object().field("accounts_kept", parts.store->health().accounts);
    json.key("accounts").array();
    for (const store::AccountRow& row : *rows) {
        json.object();
        add_account(json, row);
        json.end();
    }
    json.end().end();
    return json.take();
}

Result<std::string> show_account(const command::Request& request, const Parts& parts) {
    const auto tag = account_of(request.arguments, "account", *parts.store);
    if (!tag) return tag.error();
    const auto row = parts.store->account(*tag);
    if (!row) return row.error();
    const auto values = parts.store->account_values(*tag);
    if (!values) return values.error();
    command::JsonBuilder json;
    json.object();
    add_account(json, *row);
    json.key("seen_with").array();
    for (const store::AccountValueRow& value : *values) {
        const auto text = parts.store->text(value.value);
        if (!text) return text.error();
        json.object().field("field", field_name(value.field)).field("value", *text);
        const std::string known = parts.dictionary->name_of(value.field, *text);
        if (!known.empty()) json.field("known_as", known);
        json.field("flows", value.flows).field("first_seen_ns", value.first_seen.count);
        json.field("last_seen_ns", value.last_seen.count).end();
    }
    json.end().end();
    return json.take();
}

Result<std::string> forget(const command::Request& request, const Parts& parts) {
    model::AccountTag tag;
    if (!model::from_text(request.arguments.text("account"), tag))
        return Status(Code::usage, "account takes the whole tag here, 32 hex digits: what is forgotten does not come back");
    const auto rows = parts.store->forget(tag);
    if (!rows) return rows.error();
    // The line says that and when, and not whom: the tag is what was to be forgotten.
    const Status written = parts.tunables->audit().append(parts.now(), author_of(request.peer), "account forget",
                                                          "an account, " + std::to_string(*rows) + " rows");
    if (!written.ok()) return written;
    command::JsonBuilder json;
    json.object().field("rows", *rows).end();
    return json.take();
}

}  // namespace

void add_account_answers(Answers& answers, Parts& parts) {
    answers.add("account", "list", command::Role::reader, [&parts](const auto& request) { return list_accounts(request, parts); });
    answers.add("account", "show", command::Role::reader, [&parts](const auto& request) { return show_account(request, parts); });
    answers.add("account", "forget", command::Role::operating, [&parts](const auto& request) { return forget(request, parts); });
}

}  // namespace seine::service
