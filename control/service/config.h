// The bootstrap file of seine-control: sockets, paths, key files, bounds; read once at start.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::service {

// One member for each key of config_keys.cpp, which holds the defaults' meaning; the values here
// are the defaults.
struct Config {
    // Top level.
    std::vector<std::string> rings = {"/run/seine/flows.ring"};
    std::string socket = "/run/seine/control.sock";
    std::string reader_group;
    std::string operator_group;
    std::string log_file;  // empty: stderr
    std::string log_level = "info";
    std::vector<std::string> account_sources;
    std::string tag_keys = "/etc/seine/tag.keys";
    std::string metrics;  // HOST:PORT; empty: none
    std::string dataplane_socket = "/run/seine/dataplane.sock";
    std::string signatures;  // rules over joined fields; empty: those that the dataplanes run
    // [store]
    std::string state_folder = "/var/lib/seine";
    std::uint64_t flow_hours = 24;
    std::uint64_t flow_bytes = 20'000'000'000;
    std::uint64_t flow_rate = 5000;
    std::uint64_t connection_days = 7;
    std::uint64_t token_days = 28;
    std::uint64_t finding_days = 400;
    std::uint64_t commit_ms = 1000;
    std::uint64_t free_bytes = 256'000'000;
    // [detect]
    bool detect = true;
    std::string detect_prefixes;
    std::uint64_t detect_accounts = 1'000'000;
    std::uint64_t detect_budget = 3;
    std::uint64_t detect_sweep_seconds = 300;
    std::uint64_t detect_threads = 0;
    // [limits]
    std::uint64_t live_flows = 0;  // as memory allows: live_flows.h
    std::uint64_t answer_threads = 2;
};

// One key of the file, for the reader, the shipped example and the man page.
struct ConfigKey {
    std::string_view table = {};  // empty: top level
    std::string_view name = {};
    std::string_view meaning;  // sentences; the example wraps them
    std::string Config::*text = nullptr;
    std::uint64_t Config::*number = nullptr;
    bool Config::*flag = nullptr;
    std::vector<std::string> Config::*texts = nullptr;
    std::uint64_t least = 0;
    std::uint64_t most = 0;  // of a number
    bool or_zero = false;    // which has a meaning of its own
    std::string_view choices = {};  // of a text: the only ones, separated by blanks
};
std::span<const ConfigKey> config_keys() noexcept;

// The file as a whole or nothing of it: the first mistake with file, line, column and what to do.
Result<Config> read_config(const std::string& path);

// packaging/seine-control.toml: every key with its meaning and default, commented out.
std::string example_config();
// seine-control(8) in troff.
std::string man_page();

}  // namespace seine::service
