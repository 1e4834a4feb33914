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
    // Most hours between full sweeps. A deployment sweeps every five minutes; a world is played a
    // thousand times faster, so a sweep comes when the time seen has grown by `growth` since the
    // last one, five minutes at least. Newcomers to a known farm are found by the rescoring between
    // sweeps, as in a deployment.
    double sweep_hours = 12;
    double growth = 0.15;
    std::string prefixes;  // prefixes.csv
    std::string state;     // file to write at the end, empty: none
    bool restarts = false;  // after every sweep it begins anew from what it saved
};

// The first sweep comes five minutes after the start, the last one at the end.
Result<std::unique_ptr<Subject>> make_engine_subject(const EnginePlan& plan, std::int64_t start_ns);

}  // namespace seine::evaluate
