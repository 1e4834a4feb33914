// `seinectl status`: the dataplane's counters, fetched and shown on one screen.
#pragma once
#include <string>

#include "control/cli/json_value.h"
#include "dataplane/base/status.h"

namespace seine::cli {

// The stats document (docs/stats.md) of the dataplane at `socket`, as it came.
Result<std::string> fetch_stats(const std::string& socket, int timeout_ms);

// The screen. Members that are not there are left out, so documents of other versions show what
// they have.
std::string status_screen(const JsonValue& stats);

// Whether a counter says that something was lost or given up, by the words of its name.
bool tells_a_loss(std::string_view counter) noexcept;

}  // namespace seine::cli
