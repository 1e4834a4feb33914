// The counters of one dataplane on one screen.
#pragma once
#include <string>

#include "control/command/json_value.h"

namespace seine::cli {

// The screen. Members that are not there are left out, so documents of other versions show what
// they have.
std::string dataplane_screen(const command::JsonValue& stats);

}  // namespace seine::cli
