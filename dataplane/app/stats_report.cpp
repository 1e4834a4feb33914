#include "dataplane/app/stats_report.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "dataplane/contract/json.h"

namespace seine::app {
namespace {

// Appends members of one object; commas take care of themselves.
class Object {
  public:
    explicit Object(std::string& out) : out_(out) { out_ += '{'; }
    ~Object() { out_ += '}'; }
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    std::string& key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        contract::append_json_text(out_, name);
        out_ += ':';
        return out_;
    }
    void number(std::string_view name, std::uint64_t value) { key(name) += std::to_string(value); }
    void signed_number(std::string_view name, std::int64_t value) { key(name) += std::to_string(value); }
    void text(std::string_view name, std::string_view value) {
        contract::append_json_text(key(name), value);
    }
    void flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }

  private:
    std::string& out_;
    bool first_ = true;
};

template <typename Items, typename Append>
void append_list(std::string& out, const Items& items, Append append) {
    out += '[';
    bool first = true;
    for (const auto& item : items) {
        if (!first) out += ',';
        first = false;
        append(item);
    }
    out += ']';
}

void append_counts(std::string& out, const std::vector<runtime::NamedCount>& counts) {
    Object object(out);
    for (const auto& count : counts) object.number(count.name, count.value);
}

void append_bypass(Object& object, const runtime::BypassCounts& counts) {
    if (!counts.wanted) return;
    object.number("bypass_flows", counts.flows);
    object.number("bypass_made", counts.made);
    object.number("bypass_refused", counts.refused);
    object.number("bypass_full", counts.full);
    object.number("bypass_packets", counts.packets);
    object.number("bypass_bytes", counts.bytes);
    if (!counts.refusal.empty()) object.text("bypass_refusal", counts.refusal);
}

void append_port(std::string& out, const runtime::PortSnapshot& port) {
    Object object(out);
    object.text("port", port.label);
    object.text("link", port.link_up ? "up" : "down");
    object.number("megabits", port.link_megabits);
    const runtime::PortCounters& counters = port.counters;
    object.number("ipackets", counters.ipackets);
    object.number("ibytes", counters.ibytes);
    object.number("imissed", counters.imissed);
    object.number("ierrors", counters.ierrors);
    object.number("rx_nombuf", counters.rx_nombuf);
    object.number("kernel_packets", counters.kernel_packets);
    object.number("kernel_drops", counters.kernel_drops);
    append_bypass(object, port.bypass);
    if (port.offload.empty()) return;
    object.text("offload", port.offload);
    object.number("offload_rules", port.offload_rules);
    if (!port.offload_refusal.empty()) object.text("offload_refusal", port.offload_refusal);
}

void append_worker(std::string& out, const runtime::WorkerSnapshot& worker) {
    Object object(out);
    object.number("worker", worker.index);
    object.number("flows_live", worker.flows_live);
    object.flag("stalled", worker.stalled);
    append_counts(object.key("counters"), worker.counters);
}

// Shares in whole percent, where there is anything to share.
void append_directions(std::string& out, const Directions& since_start, const Directions& last_minute) {
    Object object(out);
    object.number("both", since_start.both);
    object.number("client_only", since_start.client_only);
    object.number("server_only", since_start.server_only);
    if (since_start.sum() > 0) object.number("one_sided_percent", (since_start.one_sided_share() + 50) / 100);
    if (last_minute.sum() > 0) object.number("one_sided_percent_last_minute", (last_minute.one_sided_share() + 50) / 100);
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
    append_list(out, texts, [&out](const std::string& text) { contract::append_json_text(out, text); });
}

}  // namespace

std::string stats_document(const Report& report) {
    std::string out;
    {
        const runtime::Snapshot& snapshot = report.snapshot;
        Object object(out);
        object.text("program", "seine-dataplane");
        object.text("version", report.version);
        object.text("state", report.state);
        object.text("input", report.input);
        object.number("pid", report.process);
        object.number("epoch", report.epoch);
        object.signed_number("started_ns", report.started_ns);
        object.signed_number("uptime_ns", report.now_ns - report.started_ns);
        append_list(object.key("ports"), snapshot.ports,
                    [&out](const runtime::PortSnapshot& port) { append_port(out, port); });
        append_list(object.key("workers"), snapshot.workers,
                    [&out](const runtime::WorkerSnapshot& worker) { append_worker(out, worker); });
        if (!snapshot.receiver.empty()) append_counts(object.key("receiver"), snapshot.receiver);
        if (!report.xdp.empty()) append_counts(object.key("xdp"), report.xdp);
        std::uint64_t flows_live = 0;
        for (const auto& worker : snapshot.workers) flows_live += worker.flows_live;
        object.number("flows_live", flows_live);
        const auto totals = snapshot.totals();
        append_counts(object.key("totals"), totals);
        append_directions(object.key("directions"), directions_of(totals), report.last_minute);
        object.number("shed_buckets", snapshot.shed_buckets);
        object.number("records_exported", report.records_exported);
        if (!report.signatures.empty()) object.key("signatures") += report.signatures;
        append_texts(object.key("notices"), report.notices);
        append_texts(object.key("problems"), report.problems);
        Object texts(object.key("meanings"));
        for (const auto& count : totals) texts.text(count.name, count.meaning);
        for (const auto& count : report.xdp) texts.text(count.name, count.meaning);
    }
    return out;
}

Status write_stats(const std::string& path, const std::string& document) {
    const bool terminal = path == "-";
    // A device or a pipe is written to; only a file is replaced.
    struct stat about {};
    const bool direct = !terminal && stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode);
    const std::string beside = direct ? path : path + ".new";
    std::FILE* file = terminal ? stdout : std::fopen(beside.c_str(), "we");
    const auto told = [&path] {
        return failed(path + ": counters cannot be written (" + std::strerror(errno) +
                      "); check the folder and the space on it");
    };
    if (file == nullptr) return told();
    bool good = std::fprintf(file, "%s\n", document.c_str()) > 0 && std::fflush(file) == 0;
    if (terminal) return good ? Status() : told();
    good = std::fclose(file) == 0 && good;
    if (direct) return good ? Status() : told();
    if (!good || std::rename(beside.c_str(), path.c_str()) != 0) {
        const Status why = told();
        std::remove(beside.c_str());
        return why;
    }
    return {};
}

}  // namespace seine::app
