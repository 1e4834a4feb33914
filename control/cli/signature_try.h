// `seinectl signature try`: what a rule set would find in captures, and what changes against another.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

Status try_rules(const Invocation& invocation, const Write& write);

}  // namespace seine::cli
