// A worker's packets from live ports, with those that arrived elsewhere but belong to it.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/runtime/offload.h"
#include "dataplane/runtime/packet_ring.h"
#include "dataplane/runtime/plain_flow.h"
#include "dataplane/runtime/port.h"
#include "dataplane/runtime/shedding.h"
#include "dataplane/runtime/source.h"
#include "dataplane/runtime/stats.h"
#include "dataplane/runtime/tsc_clock.h"

namespace seine::runtime {

struct LivePort {
    Port* port = nullptr;
    wire::LinkType link{};
    // The device spreads plain TCP and UDP flows so that both directions meet at one queue.
    bool symmetric = false;
    // Inline: what comes in goes out here first.
    Port* forward_to = nullptr;
    // --keep-port in software, where the card does not do it; null otherwise.
    const PortFilter* filter = nullptr;
};

// What the live sources of one crew share: a ring from each worker to each other, and the end.
//
// A packet that arrived at a symmetric port and is a plain flow stays where it arrived. All others go
// to the worker that the hash of their innermost 5-tuple names; fragments to that of their datagram,
// so that they are put together, wherever the flow's whole packets go.
class Handover {
  public:
    Handover(unsigned workers, std::uint32_t ring_slots);
    ~Handover();
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;

    [[nodiscard]] unsigned workers() const noexcept { return workers_; }
    [[nodiscard]] PacketRing& ring(unsigned from, unsigned to) noexcept {
        return *rings_[from * workers_ + to];
    }
    // The worker a packet belongs to when it arrived at `at`.
    [[nodiscard]] unsigned owner(ByteView frame, wire::LinkType link, bool symmetric,
                                 unsigned at) const noexcept;

    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
    void close_one() noexcept { closed_.fetch_add(1, std::memory_order_acq_rel); }
    // Nobody takes packets from outside any more, so nobody hands any over.
    [[nodiscard]] bool all_closed() const noexcept {
        return closed_.load(std::memory_order_acquire) == workers_;
    }

  private:
    unsigned workers_;
    std::vector<std::unique_ptr<PacketRing>> rings_;
    std::atomic<bool> stop_{false};
    std::atomic<unsigned> closed_{0};
};

class LiveSource final : public PacketSource {
  public:
    // Worker `index` polls the queues of every port whose number modulo the workers is `index`.
    // `shed` null: nothing is ever left out.
    LiveSource(unsigned index, const std::vector<LivePort>& ports, const TscClock& clock, Handover& handover,
               WorkerCounters& counters, const ShedLevel* shed = nullptr);

    std::size_t receive(std::span<rte_mbuf*> out) noexcept override;
    [[nodiscard]] bool ended() const noexcept override;
    [[nodiscard]] Nanos idle_time() noexcept override { return clock_.now(); }
    [[nodiscard]] Nanos last_time() const noexcept override { return clock_.now(); }

  private:
    std::size_t receive_own(std::span<rte_mbuf*> out, bool& silent) noexcept;
    std::size_t keep_wanted(std::span<rte_mbuf*> got, const LivePort& from) noexcept;
    std::size_t leave_out(std::span<rte_mbuf*> got, const LivePort& from, unsigned level) noexcept;
    std::size_t keep_own(std::span<rte_mbuf*> got, const LivePort& from) noexcept;
    std::size_t receive_handed(std::span<rte_mbuf*> out) noexcept;

    unsigned index_;
    struct Queue {
        LivePort from;
        std::uint16_t number;
    };
    std::vector<Queue> queues_;
    const TscClock& clock_;
    Handover& handover_;
    WorkerCounters& counters_;
    const ShedLevel* shed_;
    std::size_t queue_next_ = 0;
    unsigned peer_next_ = 0;
    std::size_t drained_ = 0;  // packets taken since the stop
    bool closed_ = false;
};

}  // namespace seine::runtime
