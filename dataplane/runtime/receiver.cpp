#include "dataplane/runtime/receiver.h"

#include <sched.h>

#include <algorithm>
#include <array>

#include "dataplane/runtime/dpdk/mbuf.h"
#include "dataplane/wire/steering.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kBurst = 32;
// Polls in a row that brought nothing although no worker has anything left: held fragments then sit
// on the buffers that the source waits for.
constexpr unsigned kStarvedPolls = 1000;

}  // namespace

// Hands a packet to its worker's ring; the processor is yielded while that ring is full, since the
// worker may be waiting for this very one.
class Receiver::Dealer final : public Distributor::Target {
  public:
    explicit Dealer(Receiver& receiver) : receiver_(receiver) {}
    void deliver(void* packet, unsigned worker) noexcept override {
        while (!receiver_.rings_[worker]->push(static_cast<rte_mbuf*>(packet))) sched_yield();
        receiver_.counters_.add(WorkerCounter::packets_handed_over);
    }

  private:
    Receiver& receiver_;
};

Receiver::Receiver(PacketSource& source, unsigned workers, std::uint32_t ring_slots,
                   const DistributorLimits& limits)
    : source_(source), distributor_(workers, limits) {
    for (unsigned i = 0; i < workers; ++i) {
        rings_.push_back(std::make_unique<PacketRing>(ring_slots));
        ends_.push_back(std::make_unique<End>(*rings_.back(), *this));
    }
}

Receiver::~Receiver() {
    rte_mbuf* packet = nullptr;
    for (const auto& ring : rings_) {
        while (ring->pop({&packet, 1}) > 0) give_back({&packet, 1});
    }
}

void Receiver::run() noexcept {
    Dealer dealer(*this);
    std::array<rte_mbuf*, kBurst> packets{};
    unsigned starved = 0;
    while (!source_.ended()) {
        const std::size_t count = source_.receive(packets);
        if (count == 0) {
            const bool workers_idle = std::all_of(rings_.begin(), rings_.end(),
                                                  [](const auto& ring) { return ring->empty(); });
            starved = workers_idle ? starved + 1 : 0;
            if (starved > kStarvedPolls) distributor_.relieve(dealer);
            sched_yield();
            continue;
        }
        starved = 0;
        counters_.add(WorkerCounter::bursts);
        counters_.add(WorkerCounter::packets_received, count);
        for (std::size_t i = 0; i < count; ++i) {
            rte_mbuf* packet = packets[i];
            const PacketMeta& meta = meta_of(packet);
            // The first buffer holds far more than the headers that decide.
            distributor_.offer(packet, wire::peek(first_bytes(packet), meta.link), meta.time, dealer);
        }
    }
    distributor_.flush(dealer);
    counters_.add(WorkerCounter::fragments_held, distributor_.held_ever());
    counters_.add(WorkerCounter::fragments_unowned, distributor_.unowned_ever());
    last_time_ns_.store(source_.last_time().count, std::memory_order_relaxed);
    ended_.store(true, std::memory_order_release);
}

std::size_t Receiver::End::receive(std::span<rte_mbuf*> out) noexcept { return ring_.pop(out); }

bool Receiver::End::ended() const noexcept {
    return receiver_.ended_.load(std::memory_order_acquire) && ring_.empty();
}

Nanos Receiver::End::last_time() const noexcept {
    return {receiver_.last_time_ns_.load(std::memory_order_relaxed)};
}

}  // namespace seine::runtime
