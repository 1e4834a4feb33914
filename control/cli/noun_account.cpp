// `seinectl account`: accounts as tags, what they were seen with, where that was learned.
#include <algorithm>

#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string words(const JsonValue& list) {
    std::string out;
    for (const JsonValue& item : list.items()) out += (out.empty() ? "" : " ") + shown(item.text());
    return out;
}

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document["accounts"].items().empty()) return "no account that fits was seen\n";
    Table table("lrrllll");
    table.row({"account", "flows", "requests", "first seen", "last seen", "sources", "flags"});
    for (const JsonValue& account : document["accounts"].items()) {
        table.row({account["account"].text(), grouped(account["flows"].number()), grouped(account["requests"].number()),
                   utc_time(account["first_seen_ns"].whole()), utc_time(account["last_seen_ns"].whole()),
                   words(account["sources"]), words(account["flags"]) + (account["closed"].boolean() ? " closed" : "")});
    }
    return table.text() + grouped(document["accounts_kept"].number()) + " accounts in all\n";
}

std::string show_one(const JsonValue& account, const Invocation&) {
    Table head("ll");
    head.row({"account", account["account"].text()});
    if (!account["organisation"].text().empty()) head.row({"organisation", account["organisation"].text()});
    head.row({"seen", utc_time(account["first_seen_ns"].whole()) + " to " + utc_time(account["last_seen_ns"].whole())});
    head.row({"flows", grouped(account["flows"].number())});
    head.row({"requests", grouped(account["requests"].number()) + ", of them limited " +
                              grouped(account["limited"].number()) + ", errors " + grouped(account["errors"].number())});
    head.row({"sources", words(account["sources"])});
    if (!account["flags"].items().empty()) head.row({"flags", words(account["flags"])});
    if (account["closed"].boolean()) head.row({"closed", utc_time(account["closed_ns"].whole())});
    Table seen("llrll");
    seen.row({"seen with", "", "flows", "last seen", "known as"});
    std::string before;
    for (const JsonValue& value : account["seen_with"].items()) {
        const std::string& field = value["field"].text();
        seen.row({field == before ? "" : "  " + shown(field), shown(value["value"].text()), grouped(value["flows"].number()),
                  utc_time(value["last_seen_ns"].whole()), shown(value["known_as"].text())});
        before = field;
    }
    return head.text() + "\n" + seen.text();
}

std::string show_forgotten(const JsonValue& document, const Invocation&) {
    return "forgotten: " + grouped(document["rows"].number()) + " rows; audit line " +
           std::to_string(document["audit"].number()) + "\n";
}

constexpr Positional kBeginning[] = {
    {.name = "beginning", .meaning = "first hex digits of tags", .optional = true}};
constexpr Positional kAccount[] = {{.name = "account", .meaning = "tag, or its first 4 or more hex digits"}};
constexpr Positional kWhole[] = {{.name = "account", .meaning = "the whole tag, 32 hex digits"}};
constexpr Option kList[] = {
    {"recent", "", "last seen first, instead of in order of tags"},
    {"organisation", "TAG", "of this organisation"},
    {"after", "TAG", "past this tag: the next page"},
    {"limit", "NUMBER", "at most so many (default 50)"},
};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "accounts that were seen", .positionals = kBeginning, .options = kList, .show = show_list},
    {.name = "show",
     .meaning = "an account: its stacks, networks, sessions, sources and flags",
     .positionals = kAccount,
     .show = show_one},
    {.name = "forget",
     .meaning = "erases everything of an account and leaves an audit line",
     .positionals = kWhole,
     .show = show_forgotten},
};

}  // namespace

constexpr Noun kAccountNoun = {
    .name = "account",
    .meaning = "accounts, their sources and their directory",
    .verbs = kVerbs,
    .more = "Accounts are keyed tags; names are never kept, so nothing prints them."};

}  // namespace seine::cli
