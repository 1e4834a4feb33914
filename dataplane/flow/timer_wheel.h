// Hashed lazy timer wheel driven by the caller's time: deadlines of flows by id.
#pragma once
#include <algorithm>
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
// Deadlines expire in the order of their ticks, also when time goes on by many at once (by more than a turn: in the order of
// the slots), and within a tick in the order in which they were set or last read again.
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
    // it was; one that moves away is found out when the slot comes up. What is scheduled before the first
    // advance() is read again by that.
    void schedule(std::uint32_t id, Nanos deadline) noexcept;
    // Fine when `id` is not in the wheel.
    void cancel(std::uint32_t id) noexcept;
    [[nodiscard]] bool scheduled(std::uint32_t id) const noexcept { return links_[id].prev != 0; }

    // Moves time to `now` and visits at most `visits_max` ids whose slots have come up. Of `owner`:
    //   Nanos deadline(id)      read again; if past, the id leaves the wheel and
    //   void expire(id)         is called, which may schedule and cancel any id;
    //   void prefetch(id)       a hint that deadline(id) follows soon.
    // True when nothing due is left. Time that goes back counts as the latest seen.
    template <typename Owner>
    bool advance(Nanos now, std::uint32_t visits_max, Owner&& owner) noexcept;
    // Time goes on from `now`, earlier than the latest seen: what is scheduled afterwards comes up as
    // always, what stands in the wheel is read again within one turn. Takes no time, whatever stands there.
    void rebase(Nanos now) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  private:
    static constexpr unsigned kAhead = 8;  // ids whose flows are asked for before they are read

    // Zeroed memory is an id outside the wheel, and an empty slot. Ids are stored plus one; both ends of a slot have the slot
    // there, marked.
    struct Link {
        std::uint32_t prev;
        std::uint32_t next;
    };
    struct Slot {
        std::uint32_t first;
        std::uint32_t last;
    };
    static constexpr std::uint32_t kSlotMark = 0x80000000;
    static constexpr std::uint32_t kInHand = 0xffffffff;  // taken out of its slot, about to be visited

    TimerWheel(MappedMemory links, MappedMemory slots, const Plan& plan) noexcept;
    void place(std::uint32_t id, std::int64_t tick) noexcept;
    void leave_slot(std::uint32_t id) noexcept;
    [[nodiscard]] std::int64_t tick_after(Nanos at) const noexcept;
    Nanos turn_to(Nanos now) noexcept;
    [[nodiscard]] const Slot& slot_now() const noexcept { return slots_[static_cast<std::uint32_t>(tick_) & slot_mask_]; }
    unsigned gather(std::uint32_t (&due)[kAhead], unsigned count_max) noexcept;

    MappedMemory link_memory_;
    MappedMemory slot_memory_;
    Link* links_ = nullptr;
    Slot* slots_ = nullptr;
    std::int64_t tick_ns_;
    std::uint32_t slot_mask_;
    std::uint32_t ids_max_;
    std::uint32_t size_ = 0;
    Nanos latest_;
    // Every id stands in the slot of a tick from tick_ on, less than one turn ahead.
    std::int64_t tick_ = 0;
    std::int64_t now_tick_ = 0;
};

template <typename Owner>
bool TimerWheel::advance(Nanos now, std::uint32_t visits_max, Owner&& owner) noexcept {
    const Nanos latest = turn_to(now);
    std::uint32_t due[kAhead];
    while (visits_max > 0) {
        const unsigned count = gather(due, visits_max < kAhead ? visits_max : kAhead);
        if (count == 0) return true;
        visits_max -= count;
        for (unsigned i = 0; i < count; ++i) owner.prefetch(due[i]);
        for (unsigned i = 0; i < count; ++i) {
            const std::uint32_t id = due[i];
            if (links_[id].prev != kInHand) continue;  // an expire() before it saw to it
            const Nanos deadline = owner.deadline(id);
            links_[id] = {0, 0};
            --size_;
            const std::int64_t tick = deadline > latest ? tick_after(deadline) : std::min(tick_after(deadline), now_tick_);
            if (deadline > latest || tick > tick_) {
                place(id, tick);
            } else {
                owner.expire(id);
            }
        }
    }
    return size_ == 0 || (tick_ == now_tick_ && slot_now().first == 0);
}

}  // namespace seine::flow
