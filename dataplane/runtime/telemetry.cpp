#include "dataplane/runtime/telemetry.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <memory>

#include <rte_telemetry.h>

namespace seine::runtime {
namespace {

// DPDK asks from a thread of its own: each answer is made of one snapshot, which stays while it is
// read.
using Shown = std::shared_ptr<const Snapshot>;
std::atomic<Shown>& cell() {
    static std::atomic<Shown> one(std::make_shared<const Snapshot>());
    return one;
}

constexpr int kWrongParameter = -1;

// DPDK takes names of at most 127 characters and 256 of them; ours are shorter and fewer.
void put(rte_tel_data* data, std::string_view name, std::uint64_t value) {
    std::array<char, RTE_TEL_MAX_STRING_LEN> text{};
    const std::size_t bytes = std::min(name.size(), text.size() - 1);
    std::memcpy(text.data(), name.data(), bytes);
    static_cast<void>(rte_tel_data_add_dict_u64(data, text.data(), value));
}

bool number_of(const char* parameters, std::size_t count, std::size_t& out) {
    if (parameters == nullptr) return false;
    const char* end = parameters + std::strlen(parameters);
    const auto read = std::from_chars(parameters, end, out);
    return read.ec == std::errc() && read.ptr == end && out < count;
}

int ports(const char*, const char*, rte_tel_data* data) {
    const Shown shown = cell().load();
    rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
    for (const PortSnapshot& port : shown->ports)
        static_cast<void>(rte_tel_data_add_array_string(data, port.label.c_str()));
    return 0;
}

int port(const char*, const char* parameters, rte_tel_data* data) {
    const Shown shown = cell().load();
    std::size_t at = 0;
    if (!number_of(parameters, shown->ports.size(), at)) return kWrongParameter;
    const PortSnapshot& one = shown->ports[at];
    rte_tel_data_start_dict(data);
    put(data, "link_up", one.link_up ? 1 : 0);
    put(data, "megabits", one.link_megabits);
    put(data, "ipackets", one.counters.ipackets);
    put(data, "ibytes", one.counters.ibytes);
    put(data, "imissed", one.counters.imissed);
    put(data, "ierrors", one.counters.ierrors);
    put(data, "rx_nombuf", one.counters.rx_nombuf);
    put(data, "kernel_packets", one.counters.kernel_packets);
    put(data, "kernel_drops", one.counters.kernel_drops);
    return 0;
}

int workers(const char*, const char*, rte_tel_data* data) {
    const Shown shown = cell().load();
    rte_tel_data_start_array(data, RTE_TEL_INT_VAL);
    for (const WorkerSnapshot& worker : shown->workers)
        static_cast<void>(rte_tel_data_add_array_int(data, static_cast<int>(worker.index)));
    return 0;
}

int worker(const char*, const char* parameters, rte_tel_data* data) {
    const Shown shown = cell().load();
    std::size_t at = 0;
    if (!number_of(parameters, shown->workers.size(), at)) return kWrongParameter;
    const WorkerSnapshot& one = shown->workers[at];
    rte_tel_data_start_dict(data);
    put(data, "flows_live", one.flows_live);
    put(data, "stalled", one.stalled ? 1 : 0);
    for (const NamedCount& count : one.counters) put(data, count.name, count.value);
    return 0;
}

int totals(const char*, const char*, rte_tel_data* data) {
    const Shown shown = cell().load();
    rte_tel_data_start_dict(data);
    for (const NamedCount& count : shown->totals()) put(data, count.name, count.value);
    return 0;
}

int losses(const char*, const char*, rte_tel_data* data) {
    const Shown shown = cell().load();
    rte_tel_data_start_dict(data);
    for (const NamedCount& count : shown->totals())
        if (count.value != 0 && Telemetry::says_a_loss(count.name))
            put(data, count.name, count.value);
    return 0;
}

}  // namespace

Status Telemetry::start() {
    struct Command {
        const char* name;
        telemetry_cb answer;
        const char* help;
    };
    constexpr Command kCommands[] = {
        {"/seine/ports", ports, "Labels of the ports. Takes no parameters"},
        {"/seine/port", port, "Counters of a port. Parameters: its place in /seine/ports"},
        {"/seine/workers", workers, "Numbers of the workers. Takes no parameters"},
        {"/seine/worker", worker, "Counters of a worker. Parameters: its number"},
        {"/seine/totals", totals, "Counters, summed over the workers. Takes no parameters"},
        {"/seine/losses", losses, "What was lost or given up, by reason. Takes no parameters"},
    };
    for (const Command& command : kCommands) {
        const int done = rte_telemetry_register_cmd(command.name, command.answer, command.help);
        if (done != 0)
            return failed(std::string("DPDK takes no telemetry command ") + command.name + ": " +
                          std::strerror(-done));
    }
    return {};
}

void Telemetry::publish(const Snapshot& snapshot) {
    cell().store(std::make_shared<const Snapshot>(snapshot));
}

bool Telemetry::says_a_loss(std::string_view name) noexcept {
    if (name.starts_with("decode_")) return name != "decode_ok";
    constexpr std::string_view kWords[] = {
        "dropped",  "malformed",     "limit", "cut",      "exhausted", "evicted",    "refused",
        "gave_up",  "failed",        "lost",  "oversize", "truncated", "unowned",    "unknown",
        "conflict", "out_of_window", "shed",  "missed",   "timed_out", "past_bound", "bad_length"};
    for (const std::string_view word : kWords)
        if (name.find(word) != std::string_view::npos) return true;
    return false;
}

}  // namespace seine::runtime
