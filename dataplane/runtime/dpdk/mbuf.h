// DPDK's packet as the sources of this folder see it. The one header here that includes DPDK; no public
// header includes it.
#pragma once
#include <span>

#include <rte_mbuf.h>

#include "dataplane/base/bytes.h"
#include "dataplane/runtime/source.h"

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_acquire(void* at);
void __tsan_release(void* at);
}
#endif

namespace seine::runtime {

// The private area that pools reserve in front of each packet's bytes.
inline PacketMeta& meta_of(rte_mbuf* packet) noexcept {
    return *static_cast<PacketMeta*>(rte_mbuf_to_priv(packet));
}

// Bytes of the first buffer; all of them unless the packet is a chain.
inline ByteView first_bytes(const rte_mbuf* packet) noexcept {
    return {rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len};
}

// Packets go back to the pool and come out of it on other threads. The pool's code is not built for
// ThreadSanitizer, so these two tell it; elsewhere they are nothing.
inline void taken_from_pool([[maybe_unused]] std::span<rte_mbuf* const> packets) noexcept {
#ifdef __SANITIZE_THREAD__
    for (rte_mbuf* packet : packets) {
        for (; packet != nullptr; packet = packet->next) __tsan_acquire(packet);
    }
#endif
}
inline void give_back(std::span<rte_mbuf*> packets) noexcept {
#ifdef __SANITIZE_THREAD__
    for (rte_mbuf* packet : packets) {
        for (; packet != nullptr; packet = packet->next) __tsan_release(packet);
    }
#endif
    rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
}

}  // namespace seine::runtime
