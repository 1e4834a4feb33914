// Inline: a packet goes out at the other port before anybody looks at it.
#pragma once
#include <cstdint>
#include <span>

#include "dataplane/runtime/stats.h"

struct rte_mbuf;

namespace seine::runtime {

// Sends `packets` out of the queue `number` of `port`, in order, and keeps a reference to each for
// the inspector. One thread per queue, so a flow, which stays at one queue, is never reordered.
// What the port does not take after kTriesMax is lost to the link and counted. Packets must not be
// written to afterwards.
void forward(std::uint16_t port, std::uint16_t number, std::span<rte_mbuf*> packets,
             WorkerCounters& counters) noexcept;

}  // namespace seine::runtime
