// What the operator asked for: command line and bootstrap file as one validated struct.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::app {

enum class RecordForm : std::uint8_t { jsonl, ring };
struct RecordTarget {
    RecordForm form{};
    std::string path;  // "-" is standard output, JSON lines only
};

enum class Action : std::uint8_t { run, help, version, explain_offload };

// Names of the fields are the options with '-' for '_'; keys of the file are the options.
struct Config {
    Action action = Action::run;
    // Inputs. Files and live inputs do not mix.
    std::vector<std::string> pcap;
    std::vector<std::string> af_packet;
    std::vector<std::string> af_xdp;
    std::vector<std::string> port;
    std::vector<std::string> inline_pairs;  // "A+B", a bump in the wire
    bool watchdog = true;  // inline: a second process stands by
    std::string user;      // become this user once everything is open; empty: stay
    std::vector<std::uint32_t> keep_ports;  // live: only these TCP and UDP ports; empty: everything
    std::uint32_t bypass_mib = 0;  // live: bulk flows past this may be dropped by the card; 0: none
    bool consume = false;  // --af-xdp may take the traffic of an interface that has an address

    std::uint32_t workers = 1;
    std::string signatures;  // folder of signature packs
    std::string config;      // the bootstrap file
    std::string eal;         // further arguments for DPDK

    std::vector<RecordTarget> records;
    bool records_all = false;  // half-open flows write a record too
    bool events = false;       // JSON lines: one per record instead of one per flow
    std::string stats;         // path of the counters written at exit; empty for none
    std::string socket;        // path of the admin socket; empty for none

    std::uint32_t dataplane_id = 0;
    std::string hash_key_file;  // 16 bytes that key session evidence; live input makes a key without it
    std::vector<std::string> key_headers;  // names of headers that carry API keys, beside the built-in ones
    std::uint64_t ring_bytes = std::uint64_t{64} << 20;
    std::uint64_t record_ring_bytes = std::uint64_t{16} << 20;  // worker to exporter, each worker
    bool idle_sleep = true;  // live workers nap when nothing comes

    // [limits] of the file; 0 keeps the default.
    std::uint32_t flows_max = 0;
    std::uint32_t cold_flows_max = 0;
    std::uint64_t stream_pool_bytes = 0;

    [[nodiscard]] bool live() const noexcept {
        return !af_packet.empty() || !af_xdp.empty() || !port.empty() || !inline_pairs.empty();
    }
};

// Reads the command line and, if it names one, the file. What the command line gives replaces the same
// key of the file. usage: one line that says what is wrong and what to write instead.
Result<Config> read_config(int argc, const char* const* argv);

// Reads a bootstrap file over `config`. Errors carry file:line:column.
Status read_config_file(const std::string& path, Config& config);

// Checks the whole: an input, values in range, outputs that do not collide.
Status validate(const Config& config);

// "jsonl:PATH" or "ring:PATH".
Result<RecordTarget> parse_record_target(std::string_view text);
// "json:PATH".
Result<std::string> parse_stats_target(std::string_view text);

// The name closest to `wrong`, or empty when none is near: for "did you mean".
std::string closest(std::string_view wrong, const std::vector<std::string>& names);

// All option names, without dashes.
const std::vector<std::string>& option_names();

std::string help_text();
// --explain-offload: the rules that a card would be given, one a line as dpdk-testpmd takes them.
std::string explain_offload(const Config& config);
std::string version_number();
std::string version_text();

}  // namespace seine::app
