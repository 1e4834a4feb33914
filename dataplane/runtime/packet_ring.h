// A bounded queue of packets between two threads that poll, over DPDK's ring.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/base/status.h"

struct rte_mbuf;
struct rte_ring;

namespace seine::runtime {

class PacketRing {
  public:
    enum class Producers : unsigned char { one, many };
    // `slots` is rounded up to a power of two. One thread receives.
    static Result<std::unique_ptr<PacketRing>> make(const std::string& name, std::uint32_t slots,
                                                    Producers producers);
    ~PacketRing();  // frees the packets still queued
    PacketRing(const PacketRing&) = delete;
    PacketRing& operator=(const PacketRing&) = delete;

    // False, and the packet stays the caller's, when the ring is full.
    [[nodiscard]] bool push(rte_mbuf* packet) noexcept;
    std::size_t pop(std::span<rte_mbuf*> out) noexcept;
    [[nodiscard]] bool empty() const noexcept;

  private:
    explicit PacketRing(rte_ring* ring) noexcept : ring_(ring) {}
    rte_ring* ring_;
};

}  // namespace seine::runtime
