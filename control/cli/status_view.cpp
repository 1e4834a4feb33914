// Laying the status document out.
#include "control/cli/status_view.h"

#include <cstdio>

#include "control/cli/table.h"

namespace seine::cli {

using command::JsonValue;

namespace {

std::string head(const JsonValue& status) {
    return shown(status["program"].text()) + " " + shown(status["version"].text()) + "   " + shown(status["state"].text()) +
           "   up " + duration(status["uptime_ns"].number()) + "   pid " + std::to_string(status["pid"].number()) + "\n";
}

std::string rings(const JsonValue& status) {
    Table table("llrrrrl");
    table.row({"ring", "dataplane", "records/s", "records", "lost", "fill", ""});
    for (const JsonValue& ring : status["rings"].items()) {
        const bool open = ring["open"].boolean();
        const std::string& path = ring["path"].text();
        const bool alerts = path.size() > 7 && path.compare(path.size() - 7, 7, ".alerts") == 0;
        if (alerts && ring["records"].number() == 0 && ring["lost"].number() == 0) continue;
        const std::string whose =
            open ? std::to_string(ring["dataplane"].number()) + " epoch " + std::to_string(ring["epoch"].number()) : "-";
        table.row({shown(path), whose, open ? grouped(static_cast<std::uint64_t>(ring["records_per_second"].real())) : "-",
                   grouped(ring["records"].number()), grouped(ring["lost"].number()),
                   open ? percent(ring["fill"].real()) : "-",
                   !open ? "waits for it" : ring["writer_ended"].boolean() ? "dataplane ended" : ""});
    }
    return "\n" + table.text();
}

std::string line(const std::string& title, const std::vector<std::pair<std::string, std::string>>& parts) {
    std::string out = title;
    out.resize(10, ' ');
    for (const auto& [name, value] : parts) out += name + " " + value + "   ";
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
}

std::string flows(const JsonValue& status) {
    const JsonValue& flows = status["flows"];
    return line("flows", {{"opened", grouped(flows["opened"].number())},
                          {"closed", grouped(flows["closed"].number())},
                          {"requests", grouped(flows["requests"].number())}});
}

std::string join(const JsonValue& status) {
    const JsonValue& join = status["join"];
    const std::uint64_t told = join["records_told"].number() + join["records_duplicate"].number();
    const std::uint64_t records = join["records"].number() - std::min(told, join["records"].number());
    const double rate =
        records == 0 ? 0 : static_cast<double>(join["records_joined"].number()) / static_cast<double>(records);
    std::string out = line("join", {{"records", grouped(join["records"].number())},
                                    {"joined", grouped(join["records_joined"].number()) +
                                                   (records == 0 ? "" : " (" + percent(rate) + ")")},
                                    {"waiting", grouped(join["pending"].number())},
                                    {"connections", grouped(join["connections"].number()) + " of " +
                                                        grouped(join["live_flows"].number())},
                                    {"gateways", std::to_string(join["gateways"].items().size())}});
    return out;
}

// A few by name, more in sum, so that the screen stays one; `account source list` has all.
std::string sources(const JsonValue& status) {
    constexpr std::size_t kShown = 4;
    const auto& all = status["account_sources"].items();
    if (all.empty()) return line("sources", {{"none: flows are not given to accounts", ""}});
    std::vector<std::pair<std::string, std::string>> parts;
    std::uint64_t records = 0;
    std::uint64_t held = 0;
    for (const JsonValue& source : all) {
        records += source["records"].number();
        held += source["held"].boolean() ? 1 : 0;
    }
    if (all.size() > kShown) {
        parts = {{grouped(all.size()), ""}, {"records", grouped(records)}};
        if (held > 0) parts.emplace_back("held, for a ring is behind", grouped(held));
        return line("sources", parts);
    }
    for (const JsonValue& source : all) {
        parts.emplace_back(shown(source["name"].text()) + " (" + shown(source["kind"].text()) + ")",
                           grouped(source["records"].number()) + (source["held"].boolean() ? ", held: its ring is behind" : ""));
    }
    return line("sources", parts);
}

std::string store(const JsonValue& status) {
    const JsonValue& store = status["store"];
    return line("store", {{shown(store["state"].text()) + (store["full"].boolean() ? ", full: flows are shed" : ""), ""},
                          {"accounts", grouped(store["accounts"].number())},
                          {"size", bytes_text(store["bytes"].number())},
                          {"flows", bytes_text(store["flow_bytes"].number()) + " in " +
                                        std::to_string(store["flow_files"].number()) + " hours"},
                          {"kept", "1 of " + std::to_string(store["one_flow_of"].number())}});
}

std::string farms(const JsonValue& status) {
    const JsonValue& farms = status["farms"];
    if (farms.members().empty()) return {};
    if (farms["sweeps"].is(JsonValue::Type::null)) return line("farms", {{shown(farms["state"].text()), ""}});
    const bool swept = farms["sweeps"].number() > 0;
    char expected[64], pause[32];
    std::snprintf(pause, sizeof pause, "%.1f ms", farms["pause_us_longest"].real() / 1e3);
    std::snprintf(expected, sizeof expected, "%.1f of %g asked", farms["expected_false_positives"].real(), farms["budget"].real());
    return line("farms", {{"farms", grouped(farms["farms"].number())},
                          {"accounts in them", grouped(farms["accounts_in_farms"].number())},
                          {"provisional", grouped(farms["provisional"].number())},
                          {"looked at", grouped(farms["accounts_looked_at"].number())},
                          {"false per M and day", expected},
                          {"sweep", swept ? std::to_string(farms["last_sweep_ms"].number()) + " ms" : "none yet"},
                          {"longest pause", pause}});
}

// Every counter that says something was lost, given up or refused, when it is not zero.
std::string losses(const JsonValue& status) {
    struct Loss {
        const char* part;
        const char* name;
        const char* meaning;
    };
    static constexpr Loss kLosses[] = {
        {"join", "records_unmatched", "account records whose flow never came"},
        {"join", "records_off_time", "account records that fit a flow's addresses, not its time"},
        {"join", "records_ambiguous", "account records that fit more than one connection"},
        {"join", "records_duplicate", "account records sent twice (or a gateway began anew under its old boot_epoch)"},
        {"join", "records_too_old", "account records far behind their gateway's newest"},
        {"join", "records_evicted", "account records pushed out of the waiting table"},
        {"join", "records_refused", "account records without a tag, or past a bound"},
        {"join", "accounts_overflow", "records of a ninth account on one connection"},
        {"join", "sequence_gaps", "account records that gateways numbered and that never came"},
        {"join", "flows_evicted", "connections pushed out of the table (more than live-flows)"},
        {"flows", "values_shed", "values past the bound between two commits"},
        {"flows", "accounts_shed", "accounts past the bound between two commits"},
        {"store", "flows_shed", "single flows not kept for want of room on the disk"},
        {"store", "flows_crowded_out", "single flows not kept: too many live ones"},
        {"store", "flow_records_cut", "records left out of flows that had very many"},
        {"store", "values_shed", "values past the bound of a field and day"},
        {"store", "commits_failed", "commits that the store refused (they are tried again)"},
        {"findings", "waiting", "findings that the store could not take yet"},
        {"findings", "dropped", "findings lost: more waited than there is room for"},
        {"farms", "sightings_shed", "sightings that detection had no time for"},
        {"farms", "accounts_evicted", "accounts that detection had no room for"},
        {"questions", "refused_peers", "connections of users who may not ask"},
        {"questions", "bad_packets", "clients cut off for what they sent"},
    };
    Table table("lrl");
    for (const JsonValue& ring : status["rings"].items()) {
        for (const char* name : {"lost", "dropped_ring_full", "dropped_too_long", "dropped_before_ring", "malformed",
                                 "damaged"}) {
            if (ring[name].number() == 0) continue;
            table.row({"  ring " + std::string(name), grouped(ring[name].number()), shown(ring["path"].text())});
        }
    }
    static constexpr Loss kOfSources[] = {
        {"source", "malformed", "lines and records that were not understood"},
        {"source", "oversized", "lines and records that were too long"},
        {"source", "forged", "records with a wrong MAC"},
        {"source", "unsigned_refused", "records without the MAC that is asked for"},
        {"source", "other_version", "records of another version"},
        {"source", "dropped", "datagrams that the kernel had no room for"},
        {"source", "missed", "rotated logs that went away unread"},
    };
    for (const JsonValue& source : status["account_sources"].items()) {
        for (const Loss& loss : kOfSources) {
            const std::uint64_t count = source[loss.name].number();
            if (count > 0)
                table.row({"  source " + shown(source["name"].text()) + " " + loss.name, grouped(count), loss.meaning});
        }
    }
    if (const std::uint64_t count = status["account_records_unstored"].number(); count > 0)
        table.row({"  account_records_unstored", grouped(count), "records of sockets that were lost before they were stored"});
    for (const Loss& loss : kLosses) {
        const std::uint64_t count = status[loss.part][loss.name].number();
        if (count > 0) table.row({"  " + std::string(loss.part) + " " + loss.name, grouped(count), loss.meaning});
    }
    return "\nlost, given up and refused\n" + (table.empty() ? std::string("  nothing\n") : table.text());
}

std::string problems(const JsonValue& status) {
    std::string out;
    for (const JsonValue& text : status["problems"].items()) out += "problem: " + shown(text.text()) + "\n";
    return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string status_screen(const JsonValue& status, const Invocation&) {
    return head(status) + rings(status) + "\n" + flows(status) + join(status) + sources(status) + store(status) + farms(status) +
           losses(status) + problems(status);
}

}  // namespace seine::cli
