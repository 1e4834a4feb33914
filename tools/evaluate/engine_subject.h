// Seine's own detector in the seat of the subject.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "tools/evaluate/subject.h"

namespace seine::evaluate {

struct EnginePlan {
    double budget = 3;
    unsigned threads = 0;
    // Hours between full sweeps. A deployment sweeps every five minutes; a world is played a
    // thousand times faster, and newcomers to a known farm are found by the rescoring between
    // sweeps.
    double sweep_hours = 12;
    std::string prefixes;  // prefixes.csv
    std::string state;     // file to write at the end, empty: none
};

// Sweeps come 1, 2 and 3 hours after the start, then every sweep_hours, and at the end.
Result<std::unique_ptr<Subject>> make_engine_subject(const EnginePlan& plan, std::int64_t start_ns);

}  // namespace seine::evaluate
