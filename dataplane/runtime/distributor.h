// Which worker gets a packet: both directions of a flow, and all its fragments, meet at one worker.
#pragma once
#include <cstdint>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/wire/steering.h"

namespace seine::runtime {

struct DistributorLimits {
    std::uint32_t datagrams_max = 4096;  // fragment keys remembered; past it the oldest is forgotten
    std::uint32_t held_max = 2048;       // fragments that wait; past it the oldest datagram is let go
    std::int64_t remember_ns = 30 * kSecond;  // as long as reassembly keeps a datagram
};

// The later fragments of a datagram bear no ports. Those that arrive before the first one wait for
// it; once its owner is known they go there ahead of it, in the order of their arrival. A datagram
// whose first fragment does not come in time, or that must make room, is let go to the worker of its
// address pair, which counts it as incomplete. Packets are opaque and owned by the caller.
//
// Not covered: an IP id used again by another flow of the same two hosts within `remember_ns`, whose
// fragments also arrive out of order.
class Distributor {
  public:
    Distributor(unsigned workers, const DistributorLimits& limits);

    // Where packets go. Called for the one offered, unless it is held, and for those it sets free.
    class Target {
      public:
        virtual ~Target() = default;
        virtual void deliver(void* packet, unsigned worker) noexcept = 0;
    };

    void offer(void* packet, const wire::Steering& steering, Nanos time, Target& target) noexcept;
    // Lets every held packet go: the end of the input.
    void flush(Target& target) noexcept;
    // Lets the packets of the oldest datagram go: the caller runs out of buffers.
    void relieve(Target& target) noexcept {
        if (count_ > 0) forget_oldest(target);
    }

    [[nodiscard]] unsigned owner_of(std::uint64_t flow_hash) const noexcept {
        return static_cast<unsigned>(((flow_hash >> 32) * workers_) >> 32);
    }
    [[nodiscard]] std::uint64_t held_ever() const noexcept { return held_ever_; }
    [[nodiscard]] std::uint64_t unowned_ever() const noexcept { return unowned_ever_; }

  private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    struct Datagram {
        std::uint64_t key = 0;
        Nanos since;
        std::uint32_t owner = kNone;     // kNone: its first fragment has not come
        std::uint32_t fallback = 0;      // owner of its address pair
        std::uint32_t held_first = kNone;
        std::uint32_t held_last = kNone;
        std::uint32_t chain = kNone;     // next in the bucket
        bool linked = false;             // reachable by its key
    };
    struct Held {
        void* packet = nullptr;
        std::uint32_t next = kNone;
    };

    [[nodiscard]] std::uint32_t find(std::uint64_t key) const noexcept;
    std::uint32_t add(std::uint64_t key, Nanos time, Target& target) noexcept;
    void hold(Datagram& datagram, void* packet) noexcept;
    void release(Datagram& datagram, unsigned worker, Target& target) noexcept;
    void unlink(std::uint32_t at) noexcept;
    void forget_oldest(Target& target) noexcept;
    void expire(Nanos now, Target& target) noexcept;

    unsigned workers_;
    DistributorLimits limits_;
    // A ring in order of age: [oldest_, oldest_ + count_).
    std::vector<Datagram> datagrams_;
    std::vector<std::uint32_t> buckets_;
    std::vector<Held> held_;
    std::uint32_t oldest_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t free_held_ = kNone;
    std::uint64_t held_ever_ = 0;
    std::uint64_t unowned_ever_ = 0;
};

}  // namespace seine::runtime
