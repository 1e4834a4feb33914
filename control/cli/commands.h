// What seinectl does once it knows what was typed.
#pragma once
#include <string>

#include "control/cli/invocation.h"

namespace seine::cli {

// Runs a command; what goes to stdout is in `out`. A failure is one line for stderr, exit_code()
// its exit.
Status run(const Invocation& invocation, std::string& out);

}  // namespace seine::cli
