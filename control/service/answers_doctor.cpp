// `doctor`: what control itself can say of its health; what the machine lacks is looked at by
// seinectl.
#include <sys/statvfs.h>

#include "control/command/json_builder.h"
#include "control/config/toml.h"
#include "control/export/certificate.h"
#include "control/service/account_part.h"
#include "control/service/answers.h"
#include "control/service/ingest.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"

namespace seine::service {
namespace {

using command::JsonBuilder;

constexpr std::uint64_t kJoinsToJudge = 100;

void finding(JsonBuilder& json, std::string_view group, std::string_view level,
             const std::string& text, const std::string& remedy = {}) {
    json.object()
        .field("group", group)
        .field("level", level)
        .field("text", text)
        .field("remedy", remedy)
        .end();
}

void look_at_configuration(JsonBuilder& json, Tunables& tunables) {
    const config::Revisions& revisions = tunables.revisions();
    const auto faults = revisions.left_out();
    for (const config::Fault& fault : faults)
        finding(json, "config", "fail", not_in_effect(fault),
                "mend what it names: it is tried again every " +
                    std::to_string(config::Revisions::kAgainSeconds) +
                    " s; or commit a configuration without it (seinectl config export, load, commit)");
    if (faults.empty())
        finding(json, "config", "ok",
                "all of revision " + std::to_string(revisions.running()) + " is in effect");
    if (const std::string late = revisions.rollback_fault(); !late.empty())
        finding(json, "config", "fail", late, "mend what it names, or seinectl config confirm");
}

void look_at_exports(JsonBuilder& json, Tunables& tunables) {
    const auto all = tunables.exporter().status();
    if (all.empty())
        finding(json, "export", "note", "nothing is sent anywhere",
                "add a destination: docs/siem.md");
    for (const siem::DestinationStatus& at : all) {
        if (!at.up) {
            finding(json, "export", "fail",
                    "destination " + at.name + " takes nothing: " + at.error,
                    std::to_string(at.outbox.waiting[0] + at.outbox.waiting[1]) +
                        " events wait; seinectl export test " + at.name);
        } else if (at.paused) {
            finding(json, "export", "warn", "destination " + at.name + " is paused",
                    "seinectl export resume " + at.name);
        } else {
            finding(json, "export", "ok", "destination " + at.name + " (" + at.carrier + ") is up");
        }
        if (at.outbox.shed[0] > 0)
            finding(json, "export", "fail",
                    "destination " + at.name + " lost " + std::to_string(at.outbox.shed[0]) +
                        " findings",
                    "raise outbox_megabytes");
    }
}

void look_at_certificates(JsonBuilder& json, Tunables& tunables, Nanos now) {
    const auto tree = config::read_toml(tunables.revisions().running_text(), "running");
    const config::Node* all = tree ? tree->find("export") : nullptr;
    if (all == nullptr) return;
    for (const config::Node& table : all->items) {
        for (const char* key : {"cert_file", "ca_file"}) {
            const std::string path = table.text_of(key);
            if (path.empty()) continue;
            const auto ends = siem::certificate_ends(path);
            if (!ends) {
                finding(json, "certificates", "fail", ends.error().message(),
                        "put a PEM certificate there");
                continue;
            }
            const std::int64_t days = (ends->count - now.count) / (86400 * kSecond);
            const std::string text = path + " ends in " + std::to_string(days) + " days";
            if (ends->count < now.count) {
                finding(json, "certificates", "fail", path + " has expired",
                        "renew it, then kill -HUP the daemon");
            } else {
                finding(json, "certificates", days < 21 ? "warn" : "ok", text,
                        days < 21 ? "renew it, then kill -HUP the daemon" : "");
            }
        }
    }
}

void look_at_state(JsonBuilder& json, const Parts& parts) {
    struct statvfs about {};
    const std::string& folder = parts.config.state_folder;
    if (::statvfs(folder.c_str(), &about) == 0) {
        const std::uint64_t free_bytes = std::uint64_t{about.f_bavail} * about.f_frsize;
        const bool low = free_bytes < (std::uint64_t{2} << 30);
        finding(json, "disk", low ? "warn" : "ok",
                folder + " has " + std::to_string(free_bytes >> 20) + " MiB left",
                low ? "make room, or lower the retention" : "");
    }
    const auto verdict = config::verify_audit(parts.tunables->audit().path());
    if (verdict && !verdict->sound) {
        finding(json, "audit", "fail", "the audit log is broken: " + verdict->fault,
                "keep the file and compare it with a copy sent elsewhere");
    } else if (verdict) {
        finding(json, "audit", "ok",
                "the audit log is sound, " + std::to_string(verdict->lines) + " lines");
    }
}

// Whether log lines find their flows, and whether the gateways' clocks agree with the dataplane's.
void look_at_joins(JsonBuilder& json, const Parts& parts) {
    const IngestStatus status = parts.ingest->status();
    for (const RingStatus& ring : status.rings) {
        const std::uint64_t lost = ring.counters.lost + ring.dropped_ring_full;
        if (lost > 0)
            finding(json, "ring", "warn",
                    ring.path + ": " + std::to_string(lost) + " records are lost",
                    "raise ring-bytes of the dataplane; is control short of processor?");
        if (ring.fill > 0.5)
            finding(json, "ring", "warn",
                    ring.path + " is " + std::to_string(static_cast<int>(ring.fill * 100)) +
                        " % full: control is behind",
                    "give control a processor of its own; look at last_commit_us in seinectl "
                    "status --json");
    }
    if (status.flows_evicted_here > 0)
        finding(json, "join", "warn",
                std::to_string(status.flows_evicted_here) + " connections were pushed out of the join's table of " +
                    std::to_string(status.live_flows),
                "raise live-flows in [limits] of seine-control's file; about 245 bytes each");
    if (parts.accounts == nullptr || !parts.accounts->any())
        finding(json, "join", "note", "no account sources: flows are not given to accounts",
                "set account-sources in seine-control.toml");
    const account::JoinCounters& join = status.join;
    const std::uint64_t ended = join.records_joined + join.records_unmatched +
                                join.records_ambiguous + join.records_off_time +
                                join.records_evicted;
    if (ended >= kJoinsToJudge) {
        const auto percent = static_cast<unsigned>(100.0 * static_cast<double>(join.records_joined) /
                                                   static_cast<double>(ended));
        const bool low = percent < 95;
        finding(json, "join", low ? "warn" : "ok",
                std::to_string(percent) + " % of " + std::to_string(ended) +
                    " account records found their flow",
                low ? "seinectl account source test FILE: does the gateway log the client's port, "
                      "and does the dataplane see its side?"
                    : "");
    }
    for (const account::GatewayState& gateway : status.gateways) {
        if (gateway.duplicates >= kJoinsToJudge && gateway.duplicates > gateway.records / 10)
            finding(json, "join", "warn",
                    std::to_string(gateway.duplicates) + " of " + std::to_string(gateway.records) + " records of gateway " +
                        std::to_string(gateway.id) + " bore sequence numbers that were used before, and were left out",
                    "let the gateway raise its boot_epoch at each start, and give no two gateways one number");
        if (!gateway.learned) continue;
        const std::int64_t off_ms = gateway.offset_ns / kMillisecond;
        const bool far = off_ms > 1000 || off_ms < -1000;
        finding(json, "join", far ? "warn" : "ok",
                "the clock of gateway " + std::to_string(gateway.id) + " is " +
                    std::to_string(off_ms) + " ms from the dataplane's",
                far ? "let chrony keep both clocks" : "");
    }
}

}  // namespace

void add_doctor_answers(Answers& answers, Parts& parts) {
    answers.add("doctor", "control", command::Role::reader,
                [&parts](const command::Request&) -> Result<std::string> {
                    JsonBuilder json;
                    json.array();
                    look_at_state(json, parts);
                    look_at_joins(json, parts);
                    look_at_configuration(json, *parts.tunables);
                    look_at_exports(json, *parts.tunables);
                    look_at_certificates(json, *parts.tunables, parts.now());
                    json.end();
                    return json.take();
                });
}

}  // namespace seine::service
