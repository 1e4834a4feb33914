// The counters of a running or ended dataplane as one JSON document (docs/stats.md).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/app/directions.h"
#include "dataplane/runtime/stats.h"

namespace seine::app {

struct Report {
    std::string version;
    std::string state;  // running, draining, ended
    std::string input;  // pcap, af_packet, af_xdp, port
    std::int64_t started_ns = 0;
    std::int64_t now_ns = 0;
    std::uint32_t epoch = 0;
    std::uint32_t process = 0;
    runtime::Snapshot snapshot;
    std::vector<runtime::NamedCount> xdp;  // of the XDP program; empty without one
    Directions last_minute;                // of flows; all zero before the first minute is over
    std::uint64_t records_exported = 0;
    std::string signatures;             // a JSON object: which rule set runs; empty: not told
    std::vector<std::string> notices;   // worth knowing, not wrong
    std::vector<std::string> problems;  // what makes the exit code 1
};

// One line without a line end.
std::string stats_document(const Report& report);

// Writes it to a file in one step (beside it, then renamed), or to standard output for "-".
Status write_stats(const std::string& path, const std::string& document);

}  // namespace seine::app
