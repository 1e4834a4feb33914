// The wiring: which part hands what to whom.
#include "control/service/run.h"

#include <chrono>
#include <poll.h>
#include <sys/stat.h>
#include <utility>

#include "control/service/account_part.h"
#include "control/service/account_source_section.h"
#include "control/service/answers.h"
#include "control/service/dictionary.h"
#include "control/service/farm_part.h"
#include "control/service/findings.h"
#include "control/service/flow_summaries.h"
#include "control/service/ingest.h"
#include "control/service/joined_part.h"
#include "control/service/log.h"
#include "control/service/metrics.h"
#include "control/service/parts.h"
#include "control/store/store.h"
#include "control/service/tunables.h"
#include "control/service/witness.h"
#include "dataplane/export/notify.h"

namespace seine::service {
namespace {

Nanos wall_clock() {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

store::Keeping keeping(const Config& config) {
    store::Keeping out;
    out.folder = config.state_folder;
    out.flow_hours = config.flow_hours;
    out.flow_bytes = config.flow_bytes;
    out.connection_days = config.connection_days;
    out.token_days = config.token_days;
    out.finding_days = config.finding_days;
    out.free_bytes = config.free_bytes;
    return out;
}

command::ServerConfig server_settings(const Config& config, command::ServerCounters& questions) {
    command::ServerConfig out;
    out.path = config.socket;
    out.reader_group = config.reader_group;
    out.operator_group = config.operator_group;
    out.counters = &questions;
    out.threads = static_cast<unsigned>(config.answer_threads);
    return out;
}

Status fill(Dictionary& dictionary, const store::Store& store) {
    if (dictionary.add_lines(shipped_dictionary()) != 0) return failed("the shipped dictionary is not sound");
    return dictionary.load(store);
}

// Until a signal ends it: reloads on SIGHUP, takes back commits that nobody confirmed, tells the
// watchdog unless nothing is taken in any more.
void tend(Parts& parts, Tunables& tunables, Signals& signals) {
    constexpr std::int64_t kStillMs = 60'000;
    bool was_still = false;
    while (!signals.end) {
        static_cast<void>(::poll(nullptr, 0, 200));  // a signal ends the wait early
        if (signals.hang_up.exchange(false)) {
            const Status opened = reopen_log();
            log(opened.ok() ? Level::info : Level::error, opened.ok() ? "log opened again" : opened.message());
            if (parts.accounts != nullptr) parts.accounts->reload_keys();
            tunables.reopen();
        }
        tunables.tick(parts.now());
        const bool still = parts.ingest->still_for_ms() > kStillMs;
        if (!still) exporting::notify("WATCHDOG=1");
        if (still != std::exchange(was_still, still))
            log(still ? Level::error : Level::info, still ? "nothing is taken in any more: the thread for it stands still"
                                                          : "what comes is taken in again");
    }
}

Result<std::unique_ptr<store::Store>> open_store(const Config& config, Dictionary& dictionary) {
    auto store = store::open_sqlite(keeping(config));
    if (!store) return store;
    const Status status = fill(dictionary, **store);
    if (!status.ok()) return status;
    return store;
}

void tell_end(const Findings& findings) {
    const std::uint64_t left = findings.counters().waiting;
    if (left > 0)
        log(Level::error, std::to_string(left) + " findings are not in the store, which takes nothing; those of rings come again "
                          "at the next start, those of detection were sent on alone");
    log(Level::info, "ended");
}

std::vector<config::Section*> together(DetectionSections& detection, AccountSourceSection& accounts) {
    std::vector<config::Section*> out = detection.all();
    out.push_back(&accounts);
    return out;
}

}  // namespace

Status run(const Config& config, Signals& signals) {
    ::umask(0077);
    Status status = open_log(config.log_file, config.log_level);
    if (!status.ok()) return status;
    Parts parts;
    parts.config = config;
    parts.now = wall_clock, parts.started = wall_clock();
    Dictionary dictionary;
    auto store = open_store(config, dictionary);
    if (!store) return store.error();
    DetectionSections tuned(static_cast<double>(config.detect_budget), detect::Options{}.orgs_min, wall_clock);
    auto accounts = AccountPart::make(config, **store);
    if (!accounts) return accounts.error();
    AccountSourceSection account_sources(accounts->get());
    auto tunables = Tunables::open({config.state_folder, host_name(), together(tuned, account_sources)}, parts.now());
    if (!tunables) return tunables.error();
    parts.tunables = tunables->get();
    siem::Exporter& exporter = (*tunables)->exporter();
    FlowSummaries flow_summaries(exporter);
    Findings findings(**store);
    findings.publish_to([&exporter](const model::Event& event) { exporter.submit(event); });
    std::unique_ptr<FarmPart> farms;
    if (config.detect) {
        auto made = FarmPart::make(config, **store, findings, wall_clock, tuned);
        if (!made) return made.error();
        farms = std::move(*made);
    }
    JoinedPart joined(config, findings, accounts->get());
    // After the parts that it calls: whatever ends this function ends its thread first.
    Ingest ingest(config, **store, wall_clock);
    ingest.add(flow_summaries.part());
    ingest.add(findings.part(ingest));
    if (farms != nullptr) ingest.add(farms->part());
    ingest.add(joined.part());
    ingest.add((*accounts)->part());
    parts.store = store->get();
    parts.dictionary = &dictionary;
    parts.ingest = &ingest;
    parts.accounts = accounts->get();
    parts.farms = farms.get();
    parts.findings = &findings;
    parts.joined = &joined;
    status = ingest.start();
    if (!status.ok()) return status;
    // The first question may come before start() returns.
    command::ServerCounters questions;
    parts.questions = &questions;
    Answers answers;
    answers.watch(audit_witness((*tunables)->audit(), parts.now));
    add_all(answers, parts);
    const command::ServerConfig server_config = server_settings(config, questions);
    auto server = command::Server::start(
        server_config,
        [&answers](const command::Request& request) { return answers.answer(request); });
    if (!server) return server.error();
    auto metrics = config.metrics.empty() ? Result<std::unique_ptr<Metrics>>(nullptr)
                                          : Metrics::start(config.metrics, parts);
    if (!metrics) return metrics.error();
    log(Level::info, "started; answers at " + config.socket);
    exporting::notify("READY=1");
    tend(parts, **tunables, signals);
    exporting::notify("STOPPING=1");
    log(Level::info, "ending; what is in hand is written first");
    ingest.stop();
    server->reset();  // before what they are asked about goes
    metrics->reset();
    farms.reset();
    tell_end(findings);
    return {};
}

}  // namespace seine::service
