// The counters of one dataplane, fetched from its admin socket and shown on one screen.
#pragma once
#include <string>

#include "control/command/json_value.h"
#include "dataplane/base/status.h"

namespace seine::cli {

// The stats document (docs/stats.md) of the dataplane at `socket`, as it came.
Result<std::string> fetch_stats(const std::string& socket, int timeout_ms);

// The screen. Members that are not there are left out, so documents of other versions show what
// they have.
std::string dataplane_screen(const command::JsonValue& stats);

// Whether a counter says that something was lost or given up, by the words of its name.
bool tells_a_loss(std::string_view counter) noexcept;

}  // namespace seine::cli
