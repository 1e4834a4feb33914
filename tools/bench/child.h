// Other programs, run and measured.
#pragma once
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::bench {

struct ChildResult {
    double cpu_seconds = 0;          // user and system, of it and what it waited for
    double wall_seconds = 0;
    std::string output_begin;        // of its stdout, at most 200 bytes
    double first_output_seconds = 0;  // until the first byte on its stdout; 0: it wrote none
};

// Runs it to its end, stdout read and dropped, stderr dropped. failed: it cannot be started or does not end with 0;
// the message names it.
Result<ChildResult> run_child(const std::vector<std::string>& arguments);
// The same through a shell.
Result<ChildResult> run_command(const std::string& command);

// Path of a program of ours that lies beside this one.
[[nodiscard]] std::string beside(const std::string& program);

}  // namespace seine::bench
