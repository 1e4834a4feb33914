// `seinectl signature import`: Suricata's rules as ours, and what became of every line.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

Status import_rules(const Invocation& invocation, const Write& write);

}  // namespace seine::cli
