// Runs side by side, each in a process of its own: so that seconds and memory are one run's alone.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tools/evaluate/report.h"

namespace seine::evaluate {

struct Job {
    std::string name;  // "L4 seed 2"
    std::function<Result<std::vector<Run>>()> work;
};

// The grades of all jobs in their order, `at_once` of them at a time. `told` is called as each
// ends. Call it before any thread was started. Fails with the first job that fails; the others are
// ended.
Result<std::vector<Run>> run_side_by_side(
    const std::vector<Job>& jobs, std::size_t at_once,
    const std::function<void(const std::string&, const std::vector<Run>&)>& told);

}  // namespace seine::evaluate
