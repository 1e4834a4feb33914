// Where a worker's packets come from, and what travels beside each of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/wire/link_type.h"

struct rte_mbuf;  // DPDK's packet; opaque outside the sources of this folder

namespace seine::runtime {

// Written by the source into the packet's private area, read by the worker.
struct PacketMeta {
    Nanos time;
    std::uint32_t wire_bytes = 0;
    wire::LinkType link{};
};

// One thread calls it. Packets handed out belong to the caller.
class PacketSource {
  public:
    PacketSource() = default;
    PacketSource(const PacketSource&) = delete;
    PacketSource& operator=(const PacketSource&) = delete;
    virtual ~PacketSource() = default;

    // Fills at most out.size() packets with their meta set; 0 when none is there now.
    virtual std::size_t receive(std::span<rte_mbuf*> out) noexcept = 0;
    // True once nothing will come any more; sticks.
    [[nodiscard]] virtual bool ended() const noexcept = 0;
    // The time to run timers by when no packet comes; {0} when only packets tell the time.
    [[nodiscard]] virtual Nanos idle_time() noexcept { return {}; }
    // The latest time of the whole input, known once ended(); closes idle flows as one worker would.
    [[nodiscard]] virtual Nanos last_time() const noexcept { return {}; }
};

}  // namespace seine::runtime
