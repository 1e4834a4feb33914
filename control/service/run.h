// seine-control from its configuration to its end.
#pragma once
#include <atomic>

#include "control/service/config.h"
#include "dataplane/base/status.h"

namespace seine::service {

// Set by signals.
struct Signals {
    std::atomic<bool> end{false};
    std::atomic<bool> hang_up{false};
};

// Runs until `signals.end`; then writes what is in hand. Fails when it cannot start.
Status run(const Config& config, Signals& signals);

}  // namespace seine::service
