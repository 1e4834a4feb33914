// `seinectl alert`: what was found.
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document["alerts"].items().empty()) return "nothing that fits was found\n";
    Table table("rllllll");
    table.row({"alert", "time", "severity", "kind", "rule", "account", "title"});
    for (const JsonValue& alert : document["alerts"].items()) {
        table.row({std::to_string(alert["id"].number()), utc_time(alert["at_ns"].whole()), alert["severity"].text(),
                   alert["kind"].text(), shown(alert["rule"].text()), alert["account"].text().substr(0, 12),
                   shown(alert["title"].text())});
    }
    return table.text();
}

void add_members(Table& table, const std::string& indent, const JsonValue& value) {
    for (const auto& [name, member] : value.members()) {
        if (member.is(JsonValue::Type::object)) {
            table.row({indent + shown(name), ""});
            add_members(table, indent + "  ", member);
        } else if (member.is(JsonValue::Type::array)) {
            for (const JsonValue& item : member.items()) {
                if (item.is(JsonValue::Type::object)) add_members(table, indent + "  ", item);
                else table.row({indent + shown(name), shown(item.written())});
            }
        } else {
            const bool time = name.size() > 3 && name.compare(name.size() - 3, 3, "_ns") == 0;
            table.row({indent + shown(name), time ? utc_time(member.whole()) : shown(member.written())});
        }
    }
}

std::string show_one(const JsonValue& alert, const Invocation&) {
    Table table("ll");
    add_members(table, "", alert);
    return table.text();
}

constexpr Positional kAlert[] = {{.name = "alert", .meaning = "its number, as the list prints it"}};
constexpr Option kList[] = {
    {"severity", "LEVEL", "this or higher", "info low medium high critical"},
    {"kind", "KIND", "of this kind", "signature flow farm account health"},
    {"rule", "ID", "of this rule"},
    {"account", "TAG", "of this account (4 or more hex digits of its tag)"},
    {"since", "TIME", "of the last 90s, 10m, 2h, 7d"},
    {"after", "NUMBER", "past this alert, oldest first"},
    {"limit", "NUMBER", "at most so many (default 50)"},
};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "alerts, newest first", .options = kList, .show = show_list},
    {.name = "show", .meaning = "one alert with everything it rests on", .positionals = kAlert, .show = show_one},
};

}  // namespace

constexpr Noun kAlertNoun = {.name = "alert", .meaning = "what was found", .verbs = kVerbs};

}  // namespace seine::cli
