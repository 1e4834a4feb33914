// One run: a world played through the join into a subject and the ledger of the baselines, then
// graded.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "tools/evaluate/report.h"
#include "tools/evaluate/subject.h"

namespace seine::evaluate {

struct RunPlan {
    std::string folder;
    std::vector<std::string> without;  // channel groups whose inputs are taken away
    double budget = 3;
    bool plain_join = false;  // instead of control/account's
    bool restarts = false;    // the join too begins anew when the subject did
    bool baselines = true;
    bool explain = false;       // keep the farms and their reasons
    bool progress = true;       // lines on stderr while it takes long
    std::string result;         // file to write, empty: none
    std::int64_t later_ns = 0;  // added to every time that the subject sees
    std::string grade;          // file to judge instead of running a subject, empty: none
};

// `make` gives the subject for this world; nullptr: baselines alone.
using MakeSubject =
    std::function<Result<std::unique_ptr<Subject>>(const WorldTruth&, const std::string& folder)>;

Result<Run> run_world(const RunPlan& plan, const MakeSubject& make);

}  // namespace seine::evaluate
