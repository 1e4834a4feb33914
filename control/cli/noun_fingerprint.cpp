// `seinectl fingerprint`: who has one, and what it is known as.
#include <algorithm>

#include "control/cli/fingerprint_learn.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string show_one(const JsonValue& document, const Invocation&) {
    std::string out = shown(document["value"].text()) + "   last " + std::to_string(document["days"].number()) + " days\n";
    for (const JsonValue& field : document["fields"].items()) {
        Table table("ll");
        table.row({"as", shown(field["field"].text())});
        for (const JsonValue& known : field["known_as"].items()) {
            const std::string& remark = known["remark"].text();
            table.row({"known as", shown(known["name"].text()) + (remark.empty() ? "" : ", " + shown(remark)) + "   (" +
                                       shown(known["source"].text()) + ")"});
        }
        if (field["known_as"].items().empty()) table.row({"known as", "-"});
        table.row({"accounts", grouped(field["accounts"].number()) + " of " + grouped(document["accounts_in_all"].number()) +
                                   ", " + percent(field["share_of_accounts"].real())});
        table.row({"organisations", grouped(field["organisations"].number())});
        table.row({"networks", grouped(field["networks"].number())});
        table.row({"flows", grouped(field["flows"].number()) + ", " + percent(field["share_of_flows"].real())});
        table.row({"seen", utc_time(field["first_seen_ns"].whole()) + " to " + utc_time(field["last_seen_ns"].whole())});
        std::string some;
        for (const JsonValue& account : field["some_accounts"].items()) {
            if (some.size() > 80) break;
            some += (some.empty() ? "" : " ") + account.text().substr(0, 12);
        }
        if (!some.empty()) table.row({"some accounts", some});
        out += "\n" + table.text();
    }
    return out;
}

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document["values"].items().empty()) return "no " + shown(document["field"].text()) + " was seen in these days\n";
    Table table("lrrrrl");
    table.row({shown(document["field"].text()), "accounts", "share", "networks", "flows", "known as"});
    for (const JsonValue& value : document["values"].items()) {
        table.row({shown(value["value"].text()), grouped(value["accounts"].number()),
                   percent(value["share_of_accounts"].real()), grouped(value["networks"].number()),
                   grouped(value["flows"].number()), shown(value["known_as"].text())});
    }
    return table.text();
}

constexpr Positional kValue[] = {{.name = "value", .meaning = "a JA4 or any other value, or the beginning of one"}};
constexpr Positional kCapture[] = {
    {.name = "capture", .meaning = "a pcap of that client alone", .complete = kFile}};
constexpr std::string_view kFields =
    "ja4 ja4_norm ja3 hassh h2_settings h2_akamai hdr_order ja4h user_agent syn sni address prefix session";
constexpr Option kShow[] = {
    {"field", "NAME", "this field alone", kFields},
    {"days", "NUMBER", "of the last so many days (default 7)"},
};
constexpr Option kList[] = {
    {"field", "NAME", "values of this field (default ja4)", kFields},
    {"days", "NUMBER", "of the last so many days (default 7)"},
    {"by-flows", "", "most flows first, instead of most accounts"},
    {"limit", "NUMBER", "at most so many (default 30)"},
};
constexpr Option kLearn[] = {
    {"as", "NAME", "what it is: \"curl 8.5.0\""},
    {"remark", "TEXT", "which hello, which setting"},
};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "values of a field and how many accounts have them", .options = kList, .show = show_list},
    {.name = "show",
     .meaning = "how many accounts, organisations and networks have it, and what it is known as",
     .positionals = kValue,
     .options = kShow,
     .show = show_one},
    {.name = "learn",
     .meaning = "adds the fingerprints of a capture to the dictionary",
     .positionals = kCapture,
     .options = kLearn,
     .run = learn_fingerprints,
     .more = "The capture goes through seine-replay, which must stand beside seinectl or in the PATH; every flow in it is "
             "taken to be of that client."},
};

}  // namespace

constexpr Noun kFingerprintNoun = {
    .name = "fingerprint", .meaning = "who has a fingerprint, and what it is known as", .verbs = kVerbs};

}  // namespace seine::cli
