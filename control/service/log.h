// Log lines of seine-control: time, level, one sentence. Never a key, a name or bytes of a client.
#pragma once
#include <string>

#include "dataplane/base/status.h"

namespace seine::service {

enum class Level { debug, info, warning, error };

// The log of the process; any thread.
Status open_log(const std::string& path, const std::string& level);
// The file anew, after it was renamed away; keeps the old one when that fails.
Status reopen_log();
void log(Level level, const std::string& line);

}  // namespace seine::service
