// `seinectl export`: what is sent where.
#include "control/cli/nouns.h"
#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

std::string show_list(const JsonValue& document, const Invocation&) {
    if (document.items().empty())
        return "nothing is sent anywhere; seinectl config load FILE with an [[export]] changes "
               "that\n";
    Table table("llllrrrr");
    table.row({"NAME", "CARRIER", "STATE", "SINCE", "WAITING", "DELIVERED", "SHED", "REFUSED"});
    std::string faults;
    for (const JsonValue& at : document.items()) {
        table.row({shown(at["name"].text()),
                   shown(at["carrier"].text() + "/" + at["format"].text()),
                   shown(at["state"].text()), utc_time(at["since_ns"].whole()),
                   grouped(at["waiting_findings"].number() + at["waiting_flows"].number()),
                   grouped(at["delivered_findings"].number() + at["delivered_flows"].number()),
                   grouped(at["shed_findings"].number() + at["shed_flows"].number()),
                   grouped(at["refused"].number())});
        if (!at["error"].text().empty())
            faults += shown(at["name"].text()) + ": " + shown(at["error"].text()) + "\n";
    }
    return table.text() + (faults.empty() ? "" : "\n" + faults);
}

std::string show_one(const JsonValue& document, const Invocation&) {
    const JsonValue& at = document["status"];
    Table table("lr");
    for (const auto& [key, value] : at.members()) {
        std::string text =
            value.is(JsonValue::Type::number)
                ? grouped(value.number())
                : shown(value.is(JsonValue::Type::boolean) ? value.written() : value.text());
        if (key == "since_ns" || key == "oldest_ns") text = utc_time(value.whole());
        if (!text.empty()) table.row({key, text});
    }
    return table.text() + "may be lost: " + shown(document["may_be_lost"].text()) + "\n";
}

std::string show_done(const JsonValue& document, const Invocation&) {
    return shown(document["name"].text()) + ": " + shown(document["done"].text()) + "\n";
}

std::string show_estimate(const JsonValue& document, const Invocation&) {
    const auto whole = [](double value) { return static_cast<std::uint64_t>(value + 0.5); };
    std::string out = shown(document["name"].text()) + ": " +
                      grouped(whole(document["events_per_day"].real())) + " events and " +
                      bytes_text(whole(document["bytes_per_day"].real())) +
                      " a day, by what was seen in " +
                      duration(whole(document["observed_seconds"].real() * 1e9)) + "\n";
    Table table("lr");
    for (const auto& [kind, count] : document["events_per_day_by_kind"].members())
        table.row({"  " + shown(kind), grouped(whole(count.real()))});
    return out + table.text();
}

constexpr Positional kName[] = {{.name = "name", .meaning = "of the destination"}};
constexpr Option kSince[] = {
    {.name = "since", .value = "SPAN", .meaning = "how far back: 90s, 15m, 2h, 3d"}};

constexpr Verb kVerbs[] = {
    {.name = "list",
     .meaning = "destinations, whether they take events, and what waits",
     .show = show_list},
    {.name = "show",
     .meaning = "one destination with its counters and what it may lose",
     .positionals = kName,
     .show = show_one},
    {.name = "test",
     .meaning = "sends a test event now and says what the receiver answers",
     .positionals = kName,
     .show = show_done},
    {.name = "pause",
     .meaning = "events wait on the disk until resume",
     .positionals = kName,
     .show = show_done},
    {.name = "resume", .meaning = "ends a pause", .positionals = kName, .show = show_done},
    {.name = "replay",
     .meaning = "sends again what arrived since then, as far as it is kept",
     .positionals = kName,
     .options = kSince,
     .show = show_done},
    {.name = "estimate",
     .meaning = "events and bytes a day of a destination, of the candidate too",
     .positionals = kName,
     .show = show_estimate},
};

}  // namespace

constexpr Noun kExportNoun = {.name = "export",
                              .meaning = "what is sent where",
                              .verbs = kVerbs,
                              .more =
                                  "Destinations are [[export]] tables of the configuration: "
                                  "seinectl config keys lists what may stand in one."};

}  // namespace seine::cli
