// The counters as commands of DPDK's own telemetry socket, for tools that already read it.
#pragma once
#include "dataplane/base/status.h"
#include "dataplane/runtime/stats.h"

namespace seine::runtime {

//   /seine/ports          labels
//   /seine/port,N         counters of the port with that place
//   /seine/workers        their numbers
//   /seine/worker,N       counters of one worker
//   /seine/totals         sums over the workers
//   /seine/losses         of those sums what says a loss and is not zero
//
// Asked with dpdk-telemetry.py, or over the SEQPACKET socket in DPDK's run folder. Answers come
// from the last snapshot published, so they never touch a worker. One object a process; the
// commands stay registered.
class Telemetry {
  public:
    // failed: DPDK runs without telemetry.
    static Status start();
    // About once a second, from one thread.
    static void publish(const Snapshot& snapshot);
    // Whether a counter of this name says that something was lost or given up; docs/stats.md has
    // the rule.
    static bool says_a_loss(std::string_view name) noexcept;
};

}  // namespace seine::runtime
