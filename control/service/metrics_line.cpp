// Losses are one family with the reason as its label; every other counter of the dataplane is a
// family of its own, with the dataplane's line of text as its help.
#include "control/service/metrics_line.h"

#include <algorithm>

#include "control/command/dataplane.h"
#include "control/command/json_value.h"
#include "control/service/farm_part.h"
#include "control/service/findings.h"
#include "control/service/ingest.h"
#include "control/service/metric_family.h"
#include "control/service/parts.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

using command::JsonValue;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Out = std::vector<MetricFamily>;

// What is taken of a document that somebody else wrote.
constexpr std::size_t kCountersMax = 1000;
constexpr std::size_t kPortsMax = 64;
constexpr std::size_t kHelpMax = 200;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// Printable ASCII of it: help texts and labels go into a text format.
std::string tame(std::string_view text) {
    std::string out(text.substr(0, kHelpMax));
    std::erase_if(out, [](char c) { return c < 0x20 || c >= 0x7f; });
    return out;
}

void add_rings(Out& out, const IngestStatus& status) {
    Family open(out, "seine_ring_open", "1: the ring is there and read", MetricType::Gauge);
    Family fill(out, "seine_ring_fill_ratio", "How full the ring is, 0 to 1", MetricType::Gauge);
    Family records(out, "seine_ring_records_total", "Records taken from the ring",
                   MetricType::Counter);
    Family lost(out, "seine_ring_lost_records_total",
                "Records that were offered and are not had here, by reason", MetricType::Counter);
    for (const RingStatus& ring : status.rings) {
        open.add({{"ring", ring.path}}, ring.open ? 1 : 0);
        fill.add({{"ring", ring.path}}, ring.fill);
        records.count({{"ring", ring.path}}, ring.counters.records);
        const auto reason = [&](const char* name, std::uint64_t count) {
            lost.count({{"ring", ring.path}, {"reason", name}}, count);
        };
        reason("ring_full", ring.dropped_ring_full);
        reason("before_ring", ring.dropped_before_ring);
        reason("too_long", ring.dropped_too_long);
        reason("damaged", ring.counters.damaged);
        reason("malformed", ring.counters.malformed);
        reason("unknown", ring.counters.unknown);
    }
}

void add_join(Out& out, const IngestStatus& status) {
    {
        Family family(out, "seine_join_events_total",
                      "Account records and connections at the join, by what became of them",
                      MetricType::Counter);
#define SEINE_X(name, meaning) family.count({{"counter", #name}}, status.join.name);
        SEINE_JOIN_COUNTERS(SEINE_X)
#undef SEINE_X
    }
    {
        Family family(out, "seine_gateway_records_total", "Account records by gateway",
                      MetricType::Counter);
        for (const account::GatewayState& at : status.gateways)
            family.count({{"gateway", std::to_string(at.id)}}, at.records);
    }
    Family offset(out, "seine_gateway_clock_offset_seconds",
                  "The gateway's clock less the dataplane's, where known", MetricType::Gauge);
    for (const account::GatewayState& at : status.gateways) {
        if (at.learned)
            offset.add({{"gateway", std::to_string(at.id)}},
                       static_cast<double>(at.offset_ns) / 1e9);
    }
}

void one(Out& out, const char* name, const char* help, MetricType type, double value) {
    Family(out, name, help, type).add({}, value);
}

void add_store(Out& out, const IngestStatus& status, const store::Health& health) {
    one(out, "seine_store_bytes", "Bytes of the store on the disk", MetricType::Gauge,
        static_cast<double>(health.bytes));
    one(out, "seine_store_full", "1: the disk is full and flows are given up", MetricType::Gauge,
        health.full ? 1 : 0);
    one(out, "seine_store_accounts", "Accounts in the store", MetricType::Gauge,
        static_cast<double>(health.accounts));
    one(out, "seine_store_commits_total", "Commits", MetricType::Counter,
        static_cast<double>(status.commits));
    one(out, "seine_store_failed_commits_total", "Commits that failed and were tried again",
        MetricType::Counter, static_cast<double>(status.commits_failed));
    one(out, "seine_store_last_commit_seconds", "How long the last commit took", MetricType::Gauge,
        static_cast<double>(status.last_commit_us) / 1e6);
    Family shed(out, "seine_store_shed_total", "What was not stored, by reason",
                MetricType::Counter);
    shed.count({{"reason", "flow_no_room"}}, health.flows_shed);
    shed.count({{"reason", "flow_passed_over"}}, status.rows.passed_over);
    shed.count({{"reason", "flow_crowded_out"}}, status.rows.crowded_out);
    shed.count({{"reason", "value_past_bound"}}, health.values_shed + status.sums.values_shed);
    shed.count({{"reason", "account_past_bound"}}, status.sums.accounts_shed);
}

void add_farms(Out& out, const Parts& parts) {
    if (parts.findings != nullptr) {
        const FindingCounters& counters = parts.findings->counters();
        Family family(out, "seine_findings_total", "Findings by what became of them in the store",
                      MetricType::Counter);
        family.count({{"outcome", "found"}}, counters.found.load());
        family.count({{"outcome", "kept"}}, counters.kept.load());
        family.count({{"outcome", "dropped"}}, counters.dropped.load());
    }
    if (parts.farms == nullptr) return;
    const FarmStatus status = parts.farms->status();
    one(out, "seine_farms", "Farms that are open", MetricType::Gauge,
        static_cast<double>(status.farms));
    one(out, "seine_farm_accounts_not_told_total", "Accounts of farms without an event of evidence: more were gained at once",
        MetricType::Counter, static_cast<double>(status.accounts_not_told));
    one(out, "seine_farm_accounts", "Accounts in farms", MetricType::Gauge,
        static_cast<double>(status.accounts_in_farms));
    one(out, "seine_farm_last_sweep_seconds", "How long the last sweep took", MetricType::Gauge,
        static_cast<double>(status.last_sweep_ms) / 1e3);
    one(out, "seine_farm_pause_longest_seconds", "The longest that connections waited for one step of a sweep or of its saving",
        MetricType::Gauge, static_cast<double>(status.pause_us_longest) / 1e6);
    one(out, "seine_farm_shed_sightings_total", "Sightings that detection had no room for",
        MetricType::Counter, static_cast<double>(status.shed));
}

void add_ports(Out& out, const JsonValue& stats) {
    constexpr std::pair<const char*, const char*> kLosses[] = {{"imissed", "missed"},
                                                               {"ierrors", "errors"},
                                                               {"rx_nombuf", "no_buffer"},
                                                               {"kernel_drops", "kernel"}};
    Family packets(out, "seine_dataplane_port_packets_total", "Packets received by port",
                   MetricType::Counter);
    Family bytes(out, "seine_dataplane_port_bytes_total", "Bytes received by port",
                 MetricType::Counter);
    Family lost(out, "seine_dataplane_port_lost_packets_total",
                "Packets lost before the dataplane, by port and reason", MetricType::Counter);
    const auto& all = stats["ports"].items();
    for (std::size_t i = 0; i < std::min(all.size(), kPortsMax); ++i) {
        const std::string port = tame(all[i]["port"].text());
        packets.count({{"port", port}}, all[i]["ipackets"].number());
        bytes.count({{"port", port}}, all[i]["ibytes"].number());
        for (const auto& [member, reason] : kLosses)
            lost.count({{"port", port}, {"reason", reason}}, all[i][member].number());
    }
}

}  // namespace

void add_control_metrics(Out& out, const Parts& parts) {
    if (parts.ingest == nullptr || parts.store == nullptr) return;
    const IngestStatus status = parts.ingest->status();
    add_rings(out, status);
    {
        Family family(out, "seine_flow_records_total", "Records of flows by what they tell",
                      MetricType::Counter);
        family.count({{"kind", "open"}}, status.sums.opened);
        family.count({{"kind", "close"}}, status.sums.closed);
        family.count({{"kind", "request"}}, status.sums.requests);
        family.count({{"kind", "update"}}, status.sums.updates);
    }
    add_join(out, status);
    add_store(out, status, parts.store->health());
    add_farms(out, parts);
}

void add_dataplane_counters(Out& out, const std::string& document) {
    const auto stats = JsonValue::parse(document);
    if (!stats) return;
    add_ports(out, *stats);
    one(out, "seine_dataplane_flows_live", "Flows in the tables now", MetricType::Gauge,
        (*stats)["flows_live"].real());
    one(out, "seine_dataplane_records_exported_total", "Records handed to the outputs",
        MetricType::Counter, (*stats)["records_exported"].real());
    const JsonValue& meanings = (*stats)["meanings"];
    const auto& totals = (*stats)["totals"].members();
    const std::size_t taken = std::min(totals.size(), kCountersMax);
    {
        Family given_up(out, "seine_dataplane_given_up_total",
                        "What was dropped, refused or given up, by reason (docs/stats.md)",
                        MetricType::Counter);
        for (std::size_t i = 0; i < taken; ++i) {
            const auto& [name, value] = totals[i];
            if (is_name(name) && command::tells_a_loss(name))
                given_up.add({{"reason", name}}, value.real());
        }
    }
    for (std::size_t i = 0; i < taken; ++i) {
        const auto& [name, value] = totals[i];
        if (!is_name(name) || command::tells_a_loss(name)) continue;
        std::string help = tame(meanings[name].text());
        if (help.empty()) help = "Counter of the dataplane (docs/stats.md)";
        Family(out, "seine_dataplane_" + name + "_total", std::move(help), MetricType::Counter)
            .add({}, value.real());
    }
}

void add_dataplane_metrics(Out& out, const std::string& socket, int timeout_ms) {
    if (socket.empty()) return;
    const auto answer = command::ask_dataplane(socket, timeout_ms, contract::AdminKind::stats);
    one(out, "seine_dataplane_up", "1: the dataplane answers on its admin socket",
        MetricType::Gauge, answer ? 1 : 0);
    if (answer) add_dataplane_counters(out, *answer);
}

}  // namespace seine::service
