// One thread that reads packets and deals them to several workers, each flow to one of them.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/runtime/distributor.h"
#include "dataplane/runtime/packet_ring.h"
#include "dataplane/runtime/source.h"
#include "dataplane/runtime/stats.h"

namespace seine::runtime {

class Receiver {
  public:
    // Deals the packets of `source` to `workers` rings of `ring_slots` packets. Waits when a ring is
    // full: nothing of a file is lost.
    Receiver(PacketSource& source, unsigned workers, std::uint32_t ring_slots,
             const DistributorLimits& limits);
    ~Receiver();
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    // Runs on its own thread until the source has ended.
    void run() noexcept;
    // What worker i receives from; valid as long as the receiver.
    [[nodiscard]] PacketSource& worker_source(unsigned worker) noexcept { return *ends_[worker]; }
    [[nodiscard]] const WorkerCounters& counters() const noexcept { return counters_; }

  private:
    // The far end of one ring.
    class End final : public PacketSource {
      public:
        End(PacketRing& ring, const Receiver& receiver) : ring_(ring), receiver_(receiver) {}
        std::size_t receive(std::span<rte_mbuf*> out) noexcept override;
        [[nodiscard]] bool ended() const noexcept override;
        [[nodiscard]] Nanos last_time() const noexcept override;

      private:
        PacketRing& ring_;
        const Receiver& receiver_;
    };
    class Dealer;

    PacketSource& source_;
    Distributor distributor_;
    std::vector<std::unique_ptr<PacketRing>> rings_;
    std::vector<std::unique_ptr<End>> ends_;
    WorkerCounters counters_;
    std::atomic<std::int64_t> last_time_ns_{0};
    std::atomic<bool> ended_{false};
};

}  // namespace seine::runtime
