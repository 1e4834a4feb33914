#include "dataplane/runtime/forward.h"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include "dataplane/runtime/dpdk/mbuf.h"

namespace seine::runtime {
namespace {

// A port whose queue is full drains within microseconds or not at all: the line must not wait for
// it.
constexpr unsigned kTriesMax = 16;

}  // namespace

void forward(std::uint16_t port, std::uint16_t number, std::span<rte_mbuf*> packets,
             WorkerCounters& counters) noexcept {
    // One reference for the sender, one for the inspector.
    for (rte_mbuf* packet : packets)
        for (rte_mbuf* part = packet; part != nullptr; part = part->next)
            rte_mbuf_refcnt_update(part, 1);
    std::size_t sent = 0;
    for (unsigned tries = 0; sent < packets.size() && tries < kTriesMax; ++tries) {
        if (tries > 0) rte_pause();
        sent += rte_eth_tx_burst(port, number, packets.data() + sent,
                                 static_cast<std::uint16_t>(packets.size() - sent));
    }
    counters.add(WorkerCounter::packets_forwarded, sent);
    if (sent == packets.size()) return;
    counters.add(WorkerCounter::forward_dropped, packets.size() - sent);
    for (rte_mbuf* packet : packets.subspan(sent))
        for (rte_mbuf* part = packet; part != nullptr; part = part->next)
            rte_mbuf_refcnt_update(part, -1);
}

}  // namespace seine::runtime
