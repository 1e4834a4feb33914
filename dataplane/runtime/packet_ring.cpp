#include "dataplane/runtime/packet_ring.h"

#include <bit>
#include <cstring>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

namespace seine::runtime {

Result<std::unique_ptr<PacketRing>> PacketRing::make(const std::string& name, std::uint32_t slots,
                                                     Producers producers) {
    const unsigned flags =
        RING_F_EXACT_SZ | RING_F_SC_DEQ | (producers == Producers::one ? RING_F_SP_ENQ : 0u);
    rte_ring* ring = rte_ring_create(name.c_str(), std::bit_ceil(slots), SOCKET_ID_ANY, flags);
    if (ring == nullptr) {
        return failed("no memory for a queue of " + std::to_string(slots) + " packets: " +
                      std::strerror(rte_errno) + "; give DPDK more (--eal \"-m MEGABYTES\")");
    }
    return std::unique_ptr<PacketRing>(new PacketRing(ring));
}

PacketRing::~PacketRing() {
    void* packet = nullptr;
    while (rte_ring_dequeue(ring_, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    rte_ring_free(ring_);
}

bool PacketRing::push(rte_mbuf* packet) noexcept { return rte_ring_enqueue(ring_, packet) == 0; }

std::size_t PacketRing::pop(std::span<rte_mbuf*> out) noexcept {
    // DPDK's ring moves untyped pointers; an array of packet pointers has the same layout.
    return rte_ring_dequeue_burst(ring_, reinterpret_cast<void**>(out.data()),  // NOLINT
                                  static_cast<unsigned>(out.size()), nullptr);
}

bool PacketRing::empty() const noexcept { return rte_ring_empty(ring_) != 0; }

}  // namespace seine::runtime
