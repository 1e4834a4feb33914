// Laying out the stats document.
#include "control/cli/dataplane_view.h"

#include <algorithm>
#include <vector>

#include "control/cli/table.h"
#include "control/command/dataplane.h"

namespace seine::cli {

using command::JsonValue;

namespace {

std::uint64_t losses_of(const JsonValue& counters) {
    std::uint64_t sum = 0;
    for (const auto& [name, value] : counters.members()) {
        if (name.find("dropped") != std::string::npos) sum += value.number();
    }
    return sum;
}

std::uint64_t records_of(const JsonValue& counters) {
    return counters["records_open"].number() + counters["records_request"].number() +
           counters["records_update"].number() + counters["records_close"].number();
}

std::string head(const JsonValue& stats) {
    std::string out = shown(stats["program"].text()) + " " + shown(stats["version"].text());
    const auto add = [&out](const std::string& text) {
        if (!text.empty()) out += "   " + text;
    };
    add(shown(stats["state"].text()));
    if (stats["uptime_ns"].type() == JsonValue::Type::number)
        add("up " + duration(stats["uptime_ns"].number()));
    if (stats["pid"].number() != 0) add("pid " + std::to_string(stats["pid"].number()));
    if (stats["epoch"].type() == JsonValue::Type::number)
        add("epoch " + std::to_string(stats["epoch"].number()));
    if (!stats["input"].text().empty()) out += "\ninput " + shown(stats["input"].text());
    return out + "\n";
}

std::string ports(const JsonValue& stats) {
    if (stats["ports"].items().empty()) return {};
    Table table("llrrrrrr");
    table.row(
        {"port", "link", "packets", "bytes", "missed", "errors", "no buffer", "kernel drops"});
    for (const JsonValue& port : stats["ports"].items()) {
        const std::uint64_t megabits = port["megabits"].number();
        const std::string link =
            shown(port["link"].text()) + (megabits == 0 ? "" : " " + grouped(megabits) + " Mb/s");
        table.row({shown(port["port"].text()), link, grouped(port["ipackets"].number()),
                   grouped(port["ibytes"].number()), grouped(port["imissed"].number()),
                   grouped(port["ierrors"].number()), grouped(port["rx_nombuf"].number()),
                   grouped(port["kernel_drops"].number())});
    }
    return "\n" + table.text();
}

std::string workers(const JsonValue& stats) {
    Table table("lrrrrl");
    table.row({"worker", "flows", "packets", "records", "dropped", ""});
    const auto row = [&table](std::string name, std::uint64_t flows, const JsonValue& counters,
                              bool stalled) {
        table.row({std::move(name), grouped(flows), grouped(counters["packets"].number()),
                   grouped(records_of(counters)), grouped(losses_of(counters)),
                   stalled ? "stalled" : ""});
    };
    for (const JsonValue& worker : stats["workers"].items()) {
        row(std::to_string(worker["worker"].number()), worker["flows_live"].number(),
            worker["counters"], worker["stalled"].boolean());
    }
    if (stats["workers"].items().size() != 1)
        row("all", stats["flows_live"].number(), stats["totals"], false);
    return "\n" + table.text();
}

std::string records(const JsonValue& stats) {
    const JsonValue& totals = stats["totals"];
    std::string out = "\nrecords";
    for (const char* kind : {"open", "request", "update", "close"}) {
        out += std::string("   ") + kind + " " +
               grouped(totals[std::string("records_") + kind].number());
    }
    return out + "   exported " + grouped(stats["records_exported"].number()) + "\n";
}

// What was seen of the flows that ended, and whether some are left out now.
std::string sides(const JsonValue& stats) {
    std::string out;
    const JsonValue& sums = stats["directions"];
    if (sums["one_sided_percent"].type() == JsonValue::Type::number) {
        out += "\ndirections: " + grouped(sums["both"].number()) + " flows seen both ways, " +
               grouped(sums["client_only"].number()) + " the client's alone, " +
               grouped(sums["server_only"].number()) + " the server's alone: " +
               std::to_string(sums["one_sided_percent"].number()) + " % one-sided";
        const JsonValue& lately = sums["one_sided_percent_last_minute"];
        if (lately.type() == JsonValue::Type::number)
            out += ", " + std::to_string(lately.number()) + " % in the last minute";
        out += "\n";
    }
    if (stats["shed_buckets"].number() != 0)
        out += "\noverload: flows of " + std::to_string(stats["shed_buckets"].number()) +
               " of 128 buckets are left out at present\n";
    return out;
}

std::string losses(const JsonValue& stats) {
    Table table("lrl");
    bool any = false;
    for (const char* part : {"totals", "receiver"}) {
        for (const auto& [name, value] : stats[part].members()) {
            if (!command::tells_a_loss(name) || value.number() == 0) continue;
            any = true;
            const std::string meaning = shown(stats["meanings"][name].text());
            table.row({"  " + shown(name), grouped(value.number()), meaning});
        }
    }
    return "\ndropped and given up\n" + (any ? table.text() : std::string("  nothing\n"));
}

std::string remarks(const JsonValue& stats) {
    std::string out;
    for (const char* part : {"problems", "notices"}) {
        for (const JsonValue& text : stats[part].items()) {
            out += std::string(part == std::string_view("problems") ? "problem: " : "note: ") +
                   shown(text.text()) + "\n";
        }
    }
    return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string dataplane_screen(const JsonValue& stats) {
    return head(stats) + ports(stats) + workers(stats) + records(stats) + sides(stats) + losses(stats) +
           remarks(stats);
}

}  // namespace seine::cli
