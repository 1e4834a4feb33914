// `seinectl farm`: groups of accounts with one operator behind them, and why.
#include <cstdio>

#include "control/cli/farm_picture.h"
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string nats(const JsonValue& value) {
    char text[48];
    std::snprintf(text, sizeof text, "%.2f", value.real());
    return text;
}

std::string words(const JsonValue& list) {
    std::string out;
    for (const JsonValue& item : list.items()) out += (out.empty() ? "" : " ") + shown(item.text());
    return out;
}

std::string show_list(const JsonValue& farms, const Invocation&) {
    if (farms.items().empty()) return "no farm\n";
    Table table("lllrrrlll");
    table.row({"farm", "state", "level", "accounts", "organisations", "nats", "rests on", "last seen", ""});
    for (const JsonValue& farm : farms.items()) {
        table.row({farm["id"].text(), farm["state"].text(), farm["level"].text(), grouped(farm["accounts"].number()),
                   grouped(farm["organisations"].number()), nats(farm["score_nats"]), words(farm["groups"]),
                   utc_time(farm["last_seen"].whole()), farm["provisional"].boolean() ? "provisional" : ""});
    }
    return table.text();
}

std::string lines_text(const JsonValue& lines) {
    Table table("rrrl");
    table.row({"nats", "n", "expected", ""});
    double sum = 0;
    for (const JsonValue& line : lines.items()) {
        const std::string& sentence = line["sentence"].text();
        table.row({nats(line["nats"]), nats(line["n"]), nats(line["expected"]),
                   shown(sentence.empty() ? line["channels"].text() + " " + line["values"].text() : sentence)});
        sum += line["nats"].real();
    }
    char total[48];
    std::snprintf(total, sizeof total, "%.2f", sum);
    table.row({total, "", "", "together"});
    return table.text();
}

std::string show_one(const JsonValue& farm, const Invocation&) {
    Table head("ll");
    head.row({"farm", farm["id"].text() + (farm["provisional"].boolean() ? ", provisional" : "")});
    head.row({"state", farm["state"].text() + ", " + farm["level"].text()});
    if (!farm["parent"].text().empty()) head.row({"part of", farm["parent"].text()});
    head.row({"accounts", grouped(farm["accounts"].number()) + " of " +
                              grouped(farm["organisations"].number()) + " organisations"});
    head.row({"score", nats(farm["score_nats"]) + " nats"});
    head.row({"rests on", words(farm["groups"])});
    head.row({"seen", utc_time(farm["first_seen"].whole()) + " to " + utc_time(farm["last_seen"].whole())});
    Table members("lrll");
    members.row({"account", "nats", "since", "replaces"});
    for (const JsonValue& member : farm["members"].items()) {
        members.row({member["account"].text(), nats(member["score_nats"]), utc_time(member["since"].whole()),
                     member["replaces"].text()});
    }
    return head.text() + "\nwhy\n" + lines_text(farm["evidence"]) + "\nmembers\n" + members.text();
}

std::string show_why(const JsonValue& answer, const Invocation&) {
    std::string out = answer["account"].text() + "   " + nats(answer["score_nats"]) + " nats   " +
                      (answer["alerted"].boolean() ? "in farm " + answer["farm"].text() : std::string("in no farm")) +
                      (answer["provisional"].boolean() ? ", provisional" : "") + "\n";
    if (!answer["summary"].text().empty()) out += shown(answer["summary"].text()) + "\n";
    return out + "\n" + lines_text(answer["lines"]);
}

constexpr Positional kFarm[] = {{.name = "farm", .meaning = "its id, as the list prints it: F-12"}};
constexpr Positional kAccount[] = {{.name = "account", .meaning = "tag of the account, or its first 4 or more hex digits"}};
constexpr Option kList[] = {
    {"state", "STATE", "in this state", "emerging active rotating dormant remediated dismissed"},
    {"limit", "NUMBER", "at most so many (default 100)"},
};

std::string show_decision(const JsonValue& answer, const Invocation&) {
    if (!answer["merged"].text().empty())
        return answer["merged"].text() + " is now part of " + answer["farm"].text() + "\n";
    if (!answer["split_from"].text().empty())
        return answer["farm"].text() + " has " + grouped(answer["accounts"].number()) + " accounts that were of " +
               answer["split_from"].text() + "\n";
    return answer["farm"].text() + " " + answer["state"].text() + ": " + shown(answer["reason"].text()) + "\n";
}

constexpr Positional kTwoFarms[] = {{.name = "farm", .meaning = "the farm that stays, as the list prints it: F-12"},
                                    {.name = "other", .meaning = "the farm that goes into it: F-15"}};
constexpr Option kReason[] = {{.name = "reason", .value = "TEXT", .meaning = "why, for the record; it must be given"}};

std::string show_timeline(const JsonValue& answer, const Invocation&) {
    Table table("lll");
    table.row({"at", "what", ""});
    for (const JsonValue& moment : answer["timeline"].items())
        table.row({utc_time(moment["at"].whole()), shown(moment["what"].text()), shown(moment["detail"].text())});
    return table.text();
}

std::string show_feedback(const JsonValue& answer, const Invocation&) {
    if (answer["rules"].items().empty()) return "no rule; [[feedback]] of the configuration holds them\n";
    const auto has = [](const JsonValue& rule, const char* key) { return !rule[key].is(JsonValue::Type::null); };
    const auto does = [&has](const JsonValue& rule) {
        char nats[32] = "";
        if (has(rule, "nats")) std::snprintf(nats, sizeof nats, has(rule, "group") ? " %.1f" : " %+.1f", rule["nats"].real());
        return rule["effect"].text() + (has(rule, "group") ? " " + rule["group"].text() : "") + nats +
               (has(rule, "class") ? " " + rule["class"].text() : "");
    };
    Table table("llllrll");
    table.row({"rule", "subject", "effect", "owner", "hits", "expires", "reason"});
    for (const JsonValue& rule : answer["rules"].items())
        table.row({shown(rule["rule"].text()), rule["subject"].text(), does(rule), shown(rule["owner"].text()),
                   grouped(rule["hits"].number()), utc_time(rule["expires"].whole()), shown(rule["reason"].text())});
    return table.text();
}

std::string show_diff(const JsonValue& answer, const Invocation&) {
    std::string out = answer["farm"].text() + " had " + grouped(answer["accounts_before"].number()) + " accounts at " +
                      utc_time(answer["since"].whole()) + " and has " + grouped(answer["accounts_now"].number()) + "\n";
    const auto list = [&](const char* name, const char* title, const char* sign) {
        if (answer[name].items().empty()) return;
        Table table("lllll");
        table.row({"", "account", "last seen", "network", "client"});
        for (const JsonValue& member : answer[name].items()) {
            const std::string& gone = member["replaces"].text();
            table.row({sign, member["account"].text() + (gone.empty() ? "" : " for " + gone.substr(0, 8)),
                       utc_time(member["last"].whole()), shown(member["network"].text()), shown(member["client"].text())});
        }
        out += "\n" + std::string(title) + "\n" + table.text();
    };
    list("joined", "joined since", "+");
    list("closed", "closed since", "-");
    list("silent", "not seen since", ".");
    return out;
}

std::string show_graph(const JsonValue& answer, const Invocation& invocation) {
    return invocation.arguments.has("dot") ? farm_dot(answer) : farm_svg(answer);
}

constexpr Option kSince[] = {{"since", "TIME", "compared with so long ago: 90s, 10m, 2h or 7d (default 24h)"}};
constexpr Option kGraph[] = {{.name = "svg", .value = {}, .meaning = "as a picture for a browser (the default)"},
                             {.name = "dot", .value = {}, .meaning = "for Graphviz"}};
constexpr Positional kSplit[] = {
    {.name = "farm", .meaning = "the farm that they leave, as the list prints it: F-12"},
    {.name = "account", .meaning = "tags of the accounts that go, or their first 4 or more hex digits", .repeats = true}};

constexpr Verb kVerbs[] = {
    {.name = "list", .meaning = "farms, most accounts first", .options = kList, .show = show_list},
    {.name = "show", .meaning = "one farm: its evidence and its members", .positionals = kFarm, .show = show_one},
    {.name = "why",
     .meaning = "why an account is, or is not, taken to be of a farm: lines that sum to its score",
     .positionals = kAccount,
     .show = show_why},
    {.name = "timeline",
     .meaning = "what happened to a farm, oldest first",
     .positionals = kFarm,
     .show = show_timeline},
    {.name = "diff",
     .meaning = "what changed in a farm: accounts that joined, were closed or fell silent",
     .positionals = kFarm,
     .options = kSince,
     .show = show_diff},
    {.name = "graph",
     .meaning = "a picture of a farm: networks, accounts and clients",
     .positionals = kFarm,
     .options = kGraph,
     .show = show_graph,
     .more = "Up to 48 accounts are drawn one by one, larger farms as bands as wide as their accounts:\n"
             "seinectl farm graph F-12 > farm.svg"},
    {.name = "feedback",
     .meaning = "what is known of values ([[feedback]] of the configuration), and how often it was used",
     .show = show_feedback},
    {.name = "confirm",
     .meaning = "a farm is one: it is no longer provisional",
     .positionals = kFarm,
     .options = kReason,
     .show = show_decision},
    {.name = "dismiss",
     .meaning = "a farm is none: its accounts are no longer alerted, and it gains none",
     .positionals = kFarm,
     .options = kReason,
     .show = show_decision},
    {.name = "merge",
     .meaning = "two farms of one level are one operator's",
     .positionals = kTwoFarms,
     .show = show_decision},
    {.name = "split",
     .meaning = "some accounts of a farm are another operator's: they become a farm, and stay one",
     .positionals = kSplit,
     .options = kReason,
     .show = show_decision},
};

}  // namespace

constexpr Noun kFarmNoun = {
    .name = "farm", .meaning = "groups of accounts with one operator behind them", .verbs = kVerbs};

}  // namespace seine::cli
