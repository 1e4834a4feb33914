// Hits of rules as the dataplane counts them, beside what control made of them.
#include <algorithm>
#include <map>

#include "control/cli/ask.h"
#include "control/cli/signature_place.h"
#include "control/cli/signature_set.h"
#include "control/cli/table.h"
#include "control/command/dataplane.h"

namespace seine::cli {
namespace {

using command::JsonValue;

struct Line {
    const JsonValue* rule = nullptr;    // of the dataplane
    const JsonValue* joined = nullptr;  // of the rules that run in control
    const JsonValue* alerts = nullptr;  // of the store
    [[nodiscard]] std::uint64_t hits() const {
        return (rule == nullptr ? 0 : (*rule)["hits"].number()) + (joined == nullptr ? 0 : (*joined)["hits"].number());
    }
    [[nodiscard]] std::uint64_t sum(std::string_view name) const {
        return (rule == nullptr ? 0 : (*rule)[name].number()) + (joined == nullptr ? 0 : (*joined)[name].number());
    }
};

std::map<std::string, Line> lines_of(const JsonValue& dataplane, const JsonValue& control) {
    std::map<std::string, Line> out;
    for (const JsonValue& rule : dataplane["rules"].items()) out[rule["id"].text()].rule = &rule;
    for (const JsonValue& rule : control["joined"]["by_rule"].items()) out[rule["id"].text()].joined = &rule;
    for (const JsonValue& rule : control["rules"].items()) out[rule["id"].text()].alerts = &rule;
    return out;
}

std::string table_of(const JsonValue& dataplane, const JsonValue& control, bool all) {
    const auto lines = lines_of(dataplane, control);
    std::vector<std::pair<std::string, Line>> sorted;
    for (const auto& line : lines) {
        if (line.second.hits() > 0 || line.second.alerts != nullptr || all) sorted.push_back(line);
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.hits() > b.second.hits(); });
    if (sorted.empty()) return "no rule has hit yet\n";
    Table table("llrrrrrrl");
    table.row({"rule", "state", "hits", "told", "swallowed", "alerts", "accounts", "noise", "last hit"});
    for (const auto& [id, line] : sorted) {
        const JsonValue* const state = line.rule != nullptr ? line.rule : line.joined;
        const std::int64_t last = std::max({line.rule == nullptr ? 0 : (*line.rule)["last_hit_ns"].whole(),
                                            line.joined == nullptr ? 0 : (*line.joined)["last_hit_ns"].whole(),
                                            line.alerts == nullptr ? 0 : (*line.alerts)["last_ns"].whole()});
        table.row({shown(id), state == nullptr ? "" : (*state)["state"].text(), grouped(line.hits()),
                   grouped(line.sum("findings")), grouped(line.sum("swallowed")),
                   line.alerts == nullptr ? "-" : grouped((*line.alerts)["alerts"].number()),
                   line.alerts == nullptr ? "-" : grouped((*line.alerts)["accounts"].number()),
                   line.alerts == nullptr ? "-" : percent((*line.alerts)["noise"].real()), utc_time(last)});
    }
    return table.text();
}

}  // namespace

// The dataplane's counters, control's, or both: whichever is there.
Status show_rule_stats(const Invocation& invocation, const Write& write) {
    const auto counted = command::ask_dataplane(dataplane_socket_of(invocation), invocation.timeout_ms, contract::AdminKind::rules);
    // --socket alone may name the dataplane.
    const bool named = invocation.socket_given && invocation.dataplane_socket.empty();
    const auto kept = named && counted ? Result<std::string>(Status(Code::unreachable, "")) : ask(invocation);
    if (!counted && !kept) return counted.error();
    const std::string nothing = "{}";
    const std::string& dataplane = counted ? *counted : nothing;
    const std::string& control = kept ? *kept : nothing;
    if (invocation.json) {
        // What the dataplane says, as before, and control's beside it.
        const std::string head = counted ? dataplane.substr(0, dataplane.rfind('}')) + "," : "{";
        return write(head + "\"control\":" + control + "}\n") ? Status() : failed("the output cannot be written");
    }
    const auto first = JsonValue::parse(dataplane);
    if (!first) return Status(Code::corrupt, "the dataplane's answer is " + first.error().message());
    const auto second = JsonValue::parse(control);
    if (!second) return Status(Code::corrupt, "control's answer is " + second.error().message());
    const JsonValue& about = (*first)["signatures"];
    std::string out;
    if (counted) {
        out += "generation " + std::to_string(about["generation"].number()) + ", " + grouped(about["rules"].number()) +
               " rules, " + grouped(about["packets_matched"].number()) + " packets\n";
    } else {
        out += "the dataplane is not asked: " + counted.error().message() + "\n";
    }
    const JsonValue& joined = (*second)["joined"];
    if (kept) {
        out += "in control: " + grouped(joined["rules"].number()) + " rules over requests and their flows, " +
               grouped(joined["requests"].number()) + " requests joined, " + grouped(joined["evaluated"].number()) +
               " looked at\n";
        if (!joined["problem"].text().empty()) out += shown(joined["problem"].text()) + "\n";
    } else if (!named) {
        out += "alerts and accounts are not shown: " + kept.error().message() + "\n";
    }
    out += table_of(*first, *second, invocation.arguments.has("all"));
    return write(out) ? Status() : failed("the output cannot be written");
}

}  // namespace seine::cli
