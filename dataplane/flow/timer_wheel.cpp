// Slots as doubly linked lists of ids in two flat arrays; each is a queue.
#include "dataplane/flow/timer_wheel.h"

#include <bit>
#include <utility>

namespace seine::flow {

Result<std::unique_ptr<TimerWheel>> TimerWheel::make(const Plan& plan) {
    if (plan.ids_max == 0 || plan.ids_max >= kSlotMark || plan.tick_ns <= 0 ||
        !std::has_single_bit(plan.slot_count) || plan.slot_count < 2 || plan.slot_count >= kSlotMark) {
        return Status{Code::usage, "timer wheel: needs ids, a tick and a power of two of slots"};
    }
    auto links = MappedMemory::make(std::size_t{plan.ids_max} * sizeof(Link), "timer wheel");
    if (!links) return links.error();
    auto slots = MappedMemory::make(std::size_t{plan.slot_count} * sizeof(Slot), "timer wheel");
    if (!slots) return slots.error();
    return std::unique_ptr<TimerWheel>(new TimerWheel(std::move(*links), std::move(*slots), plan));
}

TimerWheel::TimerWheel(MappedMemory links, MappedMemory slots, const Plan& plan) noexcept
    : link_memory_(std::move(links)),
      slot_memory_(std::move(slots)),
      links_(static_cast<Link*>(static_cast<void*>(link_memory_.data()))),
      slots_(static_cast<Slot*>(static_cast<void*>(slot_memory_.data()))),
      tick_ns_(plan.tick_ns),
      slot_mask_(plan.slot_count - 1),
      ids_max_(plan.ids_max) {}

// The first tick that begins at or after `at`: when it is reached, the deadline has passed.
std::int64_t TimerWheel::tick_after(Nanos at) const noexcept {
    const std::int64_t tick = at.count / tick_ns_;
    return at.count > tick * tick_ns_ ? tick + 1 : tick;
}

// Links `id` behind the others of the slot of `tick`, at least one tick ahead of the cursor and less than one turn.
void TimerWheel::place(std::uint32_t id, std::int64_t tick) noexcept {
    const std::int64_t last = tick_ + std::int64_t{slot_mask_};
    if (tick > last) tick = last;
    if (tick <= tick_) tick = tick_ + 1;
    const std::uint32_t slot = static_cast<std::uint32_t>(tick) & slot_mask_;
    const std::uint32_t last_id = slots_[slot].last;
    links_[id] = {last_id != 0 ? last_id : slot | kSlotMark, slot | kSlotMark};
    (last_id != 0 ? links_[last_id - 1].next : slots_[slot].first) = id + 1;
    slots_[slot].last = id + 1;
    ++size_;
}

void TimerWheel::leave_slot(std::uint32_t id) noexcept {
    const Link gone = links_[id];
    if (gone.prev == kInHand) return;
    const bool first = (gone.prev & kSlotMark) != 0;
    const bool last = (gone.next & kSlotMark) != 0;
    (first ? slots_[gone.prev & ~kSlotMark].first : links_[gone.prev - 1].next) = first && last ? 0 : gone.next;
    (last ? slots_[gone.next & ~kSlotMark].last : links_[gone.next - 1].prev) = first && last ? 0 : gone.prev;
}

void TimerWheel::schedule(std::uint32_t id, Nanos deadline) noexcept {
    cancel(id);
    place(id, tick_after(deadline));
}

void TimerWheel::cancel(std::uint32_t id) noexcept {
    SEINE_ASSERT(id < ids_max_);
    if (!scheduled(id)) return;
    leave_slot(id);
    links_[id] = {0, 0};
    --size_;
}

// Takes up to `count_max` ids out of the next slot that has come up and has some; none when all are empty.
unsigned TimerWheel::gather(std::uint32_t (&due)[kAhead], unsigned count_max) noexcept {
    unsigned count = 0;
    while (slot_now().first == 0 && tick_ < now_tick_) ++tick_;
    for (; count < count_max && slot_now().first != 0; ++count) {
        const std::uint32_t id = slot_now().first - 1;
        leave_slot(id);
        links_[id] = {kInHand, 0};
        due[count] = id;
    }
    return count;
}

// Each slot is the slot of exactly one tick less than a turn ahead of any cursor, so nothing has to move.
void TimerWheel::rebase(Nanos now) noexcept {
    latest_ = now;
    tick_ = now_tick_ = now.count / tick_ns_;
}

// The latest time seen. The cursor never trails by more than a turn: after a long silence every slot is
// due, whichever turn it was filled in.
Nanos TimerWheel::turn_to(Nanos now) noexcept {
    if (now > latest_) latest_ = now;
    const std::int64_t tick = latest_.count / tick_ns_;
    if (size_ == 0 && tick > tick_) tick_ = tick;
    if (tick > now_tick_) now_tick_ = tick;
    if (now_tick_ - tick_ > std::int64_t{slot_mask_}) tick_ = now_tick_ - std::int64_t{slot_mask_};
    return latest_;
}

}  // namespace seine::flow
