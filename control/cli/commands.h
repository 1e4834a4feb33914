// What seinectl does once it knows what was typed.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

// Runs a command; what goes to stdout goes through `write`. A failure is one line for stderr,
// exit_code() its exit.
Status run(const Invocation& invocation, const Write& write);

// The same again and again, as --watch asks; ends only by a failure. `terminal`: each picture
// replaces the one before.
Status watch(const Invocation& invocation, const Write& write, bool terminal);

}  // namespace seine::cli
