// A ring file as JSON lines, read beside its reader without moving anything.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "dataplane/base/status.h"

namespace seine::records {

struct DumpOptions {
    std::string path;
    bool flows = false;  // one line a flow instead of one a frame
    std::string kind;    // only frames of this kind; empty: all
    std::uint64_t frames_max = ~std::uint64_t{0};
};

struct Dumped {
    std::uint64_t frames = 0;
    std::uint64_t lost = 0;        // gaps between the frames that were there
    std::uint64_t unreadable = 0;  // frames that are damaged or of a newer kind
    bool broken_off = false;  // the ring was damaged, or overtaken by its writer, before its end
};

// Calls `write` with each line, its end included; a false answer stops the dump.
using Write = std::function<bool(const std::string& line)>;
Result<Dumped> dump(const DumpOptions& options, const Write& write);

// The shared header of a ring as one JSON object: epoch, state, counters by worker.
Result<std::string> ring_summary(const std::string& path);

}  // namespace seine::records
