// A bounded queue of packets from one polling thread to another.
#pragma once
#include "dataplane/base/spsc_queue.h"

struct rte_mbuf;

namespace seine::runtime {

using PacketRing = SpscQueue<rte_mbuf*>;

}  // namespace seine::runtime
