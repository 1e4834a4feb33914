// One run of the dataplane: from a config to an exit code.
#pragma once
#include <atomic>

#include "dataplane/app/config.h"

namespace seine::app {

// Starts DPDK, workers and exporter, serves the admin socket, ends when the input does or when
// `stop_asked` is set. Messages go to standard error, one line each. Returns the exit code.
int run(const Config& config, const std::atomic<bool>& stop_asked);

}  // namespace seine::app
