// `status`: everything at a glance, from counters alone: never a question to the store.
#include <unistd.h>

#include "control/command/json_builder.h"
#include "control/service/account_part.h"
#include "control/service/answers.h"
#include "control/service/destination_words.h"
#include "control/service/dictionary.h"
#include "control/service/farm_part.h"
#include "control/service/findings.h"
#include "control/service/ingest.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"
#include "control/store/store.h"

namespace seine::service {
namespace {

using command::JsonBuilder;

void add_ring(JsonBuilder& json, const RingStatus& ring) {
    json.object().field("path", ring.path).field("open", ring.open);
    if (!ring.problem.empty()) json.field("problem", ring.problem);
    if (ring.open) {
        json.field("dataplane", std::uint32_t{ring.dataplane}).field("epoch", ring.epoch);
        json.field("writer_ended", ring.writer_ended).field("fill", ring.fill);
        json.field("records_per_second", ring.records_per_second);
    }
    json.field("records", ring.counters.records).field("repeated", ring.counters.repeated);
    json.field("lost", ring.counters.lost).field("malformed", ring.counters.malformed);
    json.field("unknown", ring.counters.unknown).field("damaged", ring.counters.damaged);
    json.field("replaced", ring.counters.replaced);
    json.field("dropped_ring_full", ring.dropped_ring_full).field("dropped_too_long", ring.dropped_too_long);
    json.field("dropped_before_ring", ring.dropped_before_ring).end();
}

void add_join(JsonBuilder& json, const IngestStatus& status) {
    json.key("join").object();
#define SEINE_X(name, meaning) json.field(#name, status.join.name);
    SEINE_JOIN_COUNTERS(SEINE_X)
#undef SEINE_X
    const account::JoinState& state = status.join_state;
    json.field("connections", state.connections).field("live_flows", status.live_flows).field("pending", state.pending);
    json.field("connection_bytes", state.connection_bytes).field("pending_bytes", state.pending_bytes);
    json.field("exchanges_dropped", state.exchanges_dropped).field("sessions_dropped", state.sessions_dropped);
    json.field("keys_dropped", state.keys_dropped);
    json.key("gateways").array();
    for (const account::GatewayState& gateway : status.gateways) {
        json.object().field("id", gateway.id).field("records", gateway.records).field("joined", gateway.joined);
        json.field("duplicates", gateway.duplicates).field("sequence_gaps", gateway.sequence_gaps);
        json.field("waiting", gateway.waiting).field("offset_ns", gateway.offset_ns).field("offset_known", gateway.learned).end();
    }
    json.end().end();
}

void add_store(JsonBuilder& json, const store::Health& health, const IngestStatus& status) {
    json.key("store").object().field("state", health.state).field("full", health.full);
    json.field("bytes", health.bytes).field("flow_bytes", health.flow_bytes).field("flow_files", health.flow_files);
    json.field("accounts", health.accounts).field("flows_kept", health.flows_kept).field("flows_shed", health.flows_shed);
    json.field("flow_files_dropped", health.flow_files_dropped).field("values_shed", health.values_shed);
    json.field("commits", status.commits).field("commits_failed", status.commits_failed);
    json.field("last_commit_us", status.last_commit_us).field("last_write_ns", health.last_write.count);
    json.field("one_flow_of", status.rows_one_of).field("flows_passed_over", status.rows.passed_over);
    json.field("flows_crowded_out", status.rows.crowded_out).field("flow_records_cut", status.rows.cut);
    json.field("live_rows", status.live_rows).end();
}

void add_farms(JsonBuilder& json, const Parts& parts) {
    if (parts.findings != nullptr) {
        const FindingCounters& counters = parts.findings->counters();
        json.key("findings").object().field("found", counters.found.load()).field("kept", counters.kept.load());
        json.field("waiting", counters.waiting.load()).field("dropped", counters.dropped.load()).end();
    }
    json.key("farms").object();
    if (parts.farms == nullptr) {
        json.field("state", "not looked for ([detect] enabled = false)").end();
        return;
    }
    const FarmStatus status = parts.farms->status();
    json.field("farms", static_cast<std::uint64_t>(status.farms));
    json.field("provisional", static_cast<std::uint64_t>(status.provisional));
    json.field("accounts_in_farms", static_cast<std::uint64_t>(status.accounts_in_farms));
    json.field("accounts_told", status.accounts_told).field("accounts_not_told", status.accounts_not_told);
    json.field("accounts_looked_at", status.counters.accounts).field("sightings", status.counters.sightings);
    json.field("queued", status.queued).field("sightings_shed", status.shed);
    json.field("sweeps", status.counters.sweeps).field("last_sweep_ms", status.last_sweep_ms);
    json.field("pause_us_longest", status.pause_us_longest);
    json.field("last_sweep_ns", status.last_sweep.count);
    // False positives per million accounts and day: asked for, and expected of the thresholds in force.
    json.field("budget", status.counters.budget).field("expected_false_positives", status.counters.expected_fp);
    json.field("accounts_evicted", status.counters.accounts_evicted).field("bytes", status.counters.bytes);
    if (!status.problem.empty()) json.field("problem", status.problem);
    json.end();
}

// What stands still, was lost or pushed out, each with what to do.
std::vector<std::string> taking_in_problems(const Parts& parts, const IngestStatus& status) {
    std::vector<std::string> out;
    const std::int64_t still_s = parts.ingest->still_for_ms() / 1000;
    if (still_s >= 10)
        out.push_back("nothing was taken in for " + std::to_string(still_s) + " s: restart seine-control, and please report it");
    if (status.flows_evicted_here > 0)
        out.push_back(std::to_string(status.flows_evicted_here) +
                      " connections were pushed out of the join's table, so that accounts told later do not find them: raise "
                      "live-flows in [limits], now " + std::to_string(status.live_flows) + ", about 245 bytes each");
    if (status.join.records_evicted > 0 && status.join_state.pending > 0 && still_s < 10) {
        for (const RingStatus& ring : status.rings) {
            if (ring.fill > 0.5) out.push_back(ring.path + ": is behind, and account records give up waiting for its flows; "
                                               "give seine-control another processor");
        }
    }
    return out;
}

void add_account_sources(JsonBuilder& json, const AccountPart* accounts) {
    const AccountStatus status = accounts == nullptr ? AccountStatus() : accounts->status();
    json.key("account_sources").array();
    for (const account::SourceStatus& source : status.sources) {
        json.object().field("name", source.name).field("kind", source.kind).field("records", source.records);
        json.field("malformed", source.malformed).field("nameless", source.nameless).field("oversized", source.oversized);
        json.field("forged", source.forged).field("unsigned_refused", source.unsigned_refused);
        json.field("other_version", source.other_version).field("dropped", source.dropped).field("missed", source.missed);
        json.field("held", source.held).field("held_ms", source.held_ms).field("problem", source.problem);
        json.field("last_record_ns", source.last_record.count).end();
    }
    json.end();
    json.field("account_records_unstored", status.unstored);
}

Result<std::string> show_status(const Parts& parts) {
    const IngestStatus status = parts.ingest->status();
    JsonBuilder json;
    json.object().field("program", "seine-control").field("version", SEINE_VERSION).field("state", "running");
    json.field("pid", static_cast<std::uint64_t>(::getpid())).field("started_ns", parts.started.count);
    json.field("uptime_ns", parts.now() - parts.started);
    json.key("rings").array();
    for (const RingStatus& ring : status.rings) add_ring(json, ring);
    json.end();
    json.key("flows").object().field("opened", status.sums.opened).field("closed", status.sums.closed);
    json.field("requests", status.sums.requests).field("updates", status.sums.updates);
    json.field("sightings", status.sums.sightings).field("values_shed", status.sums.values_shed);
    json.field("accounts_shed", status.sums.accounts_shed).end();
    add_join(json, status);
    add_account_sources(json, parts.accounts);
    add_store(json, parts.store->health(), status);
    add_farms(json, parts);
    json.key("dictionary").object().field("values", static_cast<std::uint64_t>(parts.dictionary->values())).end();
    json.key("questions").object().field("asked", parts.questions->requests.load());
    json.field("failed", parts.questions->failures.load()).field("refused_peers", parts.questions->refused_peers.load());
    json.field("bad_packets", parts.questions->bad_packets.load());
    json.field("clients_refused", parts.questions->clients_refused.load()).end();
    std::vector<siem::DestinationStatus> destinations;
    destinations = parts.tunables->exporter().status();
    json.key("exports").array();
    for (const siem::DestinationStatus& at : destinations) describe_destination(json, at);
    json.end();
    json.key("problems").array();
    if (!status.problem.empty()) json.text(status.problem);
    for (const std::string& problem : taking_in_problems(parts, status)) json.text(problem);
    for (const config::Fault& fault : parts.tunables->revisions().left_out())
        json.text("configuration: " + not_in_effect(fault) + "; see seinectl doctor");
    for (const siem::DestinationStatus& at : destinations) {
        const std::string problem = problem_of(at);
        if (!problem.empty()) json.text(problem);
    }
    for (const RingStatus& ring : status.rings) {
        // The alerts ring comes with the other one: its absence is no news of its own.
        const bool alerts = ring.path.size() > 7 && ring.path.compare(ring.path.size() - 7, 7, ".alerts") == 0;
        if (!ring.problem.empty() && !alerts) json.text(ring.problem);
    }
    json.end().end();
    return json.take();
}

}  // namespace

void add_status_answers(Answers& answers, Parts& parts) {
    answers.add("status", "show", command::Role::reader, [&parts](const auto&) { return show_status(parts); });
}

}  // namespace seine::service
