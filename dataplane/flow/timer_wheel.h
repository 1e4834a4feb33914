// Hashed lazy timer wheel driven by the caller's time: deadlines of flows by id.
#pragma once
#include <cstdint>
#include <memory>

#include "dataplane/base/assert.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/mapped_memory.h"

namespace seine::flow {

// Packets never touch the wheel: they write "last seen" in their flow. When the slot of an id comes up its
// deadline is read again, and the id moves on or expires. Schedule and cancel are O(1), an advance does a
// bounded amount of work and goes on where it stopped; nothing is allocated after make(). One thread.
//
// An expiry comes up to one tick late, and later only while advance() is behind its budget. A deadline
// further away than the wheel reaches is looked at once a turn.
class TimerWheel {
  public:
    struct Plan {
        std::uint32_t ids_max = 0;
        std::int64_t tick_ns = 250 * kMillisecond;
        std::uint32_t slot_count = 4096;  // a power of two; 4096 x 250 ms is 1,024 s
    };
    static Result<std::unique_ptr<TimerWheel>> make(const Plan& plan);

    // Sets or moves the deadline of `id`. Only needed for a new flow or when a deadline comes closer than
    // it was; one that moves away is found out when the slot comes up. The first call sets the wheel's time.
    void schedule(std::uint32_t id, Nanos deadline) noexcept;
    // Fine when `id` is not in the wheel.
    void cancel(std::uint32_t id) noexcept;
    [[nodiscard]] bool scheduled(std::uint32_t id) const noexcept { return links_[id].prev != 0; }

    // Moves time to `now` and visits at most `visits_max` ids whose slots have come up. Of `owner`:
    //   Nanos deadline(id)      read again; if past, the id leaves the wheel and
    //   void expire(id)         is called, which may schedule and cancel any id;
    //   void prefetch(id)       a hint that deadline(id) follows soon.
    // True when nothing due is left. Time that goes back does nothing.
    template <typename Owner>
    bool advance(Nanos now, std::uint32_t visits_max, Owner&& owner) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  private:
    static constexpr unsigned kAhead = 8;  // ids whose flows are asked for before they are read

    // Zeroed memory is an id outside the wheel. Ids are stored plus one; the first of a slot has the slot
    // there, marked.
    struct Link {
        std::uint32_t prev;
        std::uint32_t next;
    };
    static constexpr std::uint32_t kSlotMark = 0x80000000;

    TimerWheel(MappedMemory links, MappedMemory slots, const Plan& plan) noexcept;
    void place(std::uint32_t id, std::int64_t tick) noexcept;
    void unlink(std::uint32_t id) noexcept;
    [[nodiscard]] std::int64_t tick_after(Nanos at) const noexcept;
    unsigned gather(std::uint32_t (&due)[kAhead]) noexcept;

    MappedMemory link_memory_;
    MappedMemory slot_memory_;
    Link* links_ = nullptr;
    std::uint32_t* slots_ = nullptr;  // first id of each slot, plus one
    std::int64_t tick_ns_;
    std::uint32_t slot_mask_;
    std::uint32_t size_ = 0;
    std::int64_t tick_ = 0;      // the slot being worked on; all before it are empty of due ids
    std::int64_t now_tick_ = 0;
    bool started_ = false;
};

}  // namespace seine::flow
