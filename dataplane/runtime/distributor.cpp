#include "dataplane/runtime/distributor.h"

#include <bit>

#include "dataplane/base/assert.h"

namespace seine::runtime {

Distributor::Distributor(unsigned workers, const DistributorLimits& limits)
    : workers_(workers),
      limits_(limits),
      datagrams_(limits.datagrams_max),
      buckets_(std::bit_ceil(limits.datagrams_max * 2), kNone),
      held_(limits.held_max) {
    SEINE_CHECK(workers > 0 && limits.datagrams_max > 0 && limits.held_max > 0);
    for (std::uint32_t i = 0; i < limits.held_max; ++i) {
        held_[i].next = i + 1 < limits.held_max ? i + 1 : kNone;
    }
    free_held_ = 0;
}

std::uint32_t Distributor::find(std::uint64_t key) const noexcept {
    std::uint32_t at = buckets_[key & (buckets_.size() - 1)];
    while (at != kNone && datagrams_[at].key != key) at = datagrams_[at].chain;
    return at;
}

// Sends what waits to `worker`, in order of arrival.
void Distributor::release(Datagram& datagram, unsigned worker, Target& target) noexcept {
    std::uint32_t at = datagram.held_first;
    while (at != kNone) {
        Held& held = held_[at];
        const std::uint32_t next = held.next;
        target.deliver(held.packet, worker);
        held = {nullptr, free_held_};
        free_held_ = at;
        at = next;
    }
    datagram.held_first = datagram.held_last = kNone;
}

void Distributor::unlink(std::uint32_t at) noexcept {
    if (!datagrams_[at].linked) return;
    std::uint32_t* link = &buckets_[datagrams_[at].key & (buckets_.size() - 1)];
    while (*link != at) {
        SEINE_ASSERT(*link != kNone);
        link = &datagrams_[*link].chain;
    }
    *link = datagrams_[at].chain;
    datagrams_[at].linked = false;
}

void Distributor::forget_oldest(Target& target) noexcept {
    SEINE_ASSERT(count_ > 0);
    Datagram& datagram = datagrams_[oldest_];
    for (std::uint32_t at = datagram.held_first; at != kNone; at = held_[at].next) ++unowned_ever_;
    release(datagram, datagram.fallback, target);
    unlink(oldest_);
    datagram = {};
    oldest_ = (oldest_ + 1) % limits_.datagrams_max;
    --count_;
}

void Distributor::expire(Nanos now, Target& target) noexcept {
    while (count_ > 0 && now - datagrams_[oldest_].since > limits_.remember_ns) {
        forget_oldest(target);
    }
}

std::uint32_t Distributor::add(std::uint64_t key, Nanos time, Target& target) noexcept {
    if (count_ == limits_.datagrams_max) forget_oldest(target);
    const std::uint32_t at = (oldest_ + count_) % limits_.datagrams_max;
    ++count_;
    std::uint32_t& bucket = buckets_[key & (buckets_.size() - 1)];
    datagrams_[at] = {key, time, kNone, 0, kNone, kNone, bucket, true};
    bucket = at;
    return at;
}

void Distributor::hold(Datagram& datagram, void* packet) noexcept {
    const std::uint32_t at = free_held_;
    SEINE_ASSERT(at != kNone);
    free_held_ = held_[at].next;
    held_[at] = {packet, kNone};
    if (datagram.held_last == kNone) {
        datagram.held_first = at;
    } else {
        held_[datagram.held_last].next = at;
    }
    datagram.held_last = at;
    ++held_ever_;
}

void Distributor::offer(void* packet, const wire::Steering& steering, Nanos time,
                        Target& target) noexcept {
    expire(time, target);
    switch (steering.by) {
        case wire::SteerBy::none:
        case wire::SteerBy::addresses:
        case wire::SteerBy::flow:
            target.deliver(packet, owner_of(steering.flow_hash));
            return;
        case wire::SteerBy::first_fragment: {
            std::uint32_t at = find(steering.fragment_key);
            if (at != kNone && datagrams_[at].owner != kNone) {
                unlink(at);  // the id is used again: this datagram's time begins now
                at = kNone;
            }
            if (at == kNone) at = add(steering.fragment_key, time, target);
            Datagram& datagram = datagrams_[at];
            datagram.owner = owner_of(steering.flow_hash);
            release(datagram, datagram.owner, target);
            target.deliver(packet, datagram.owner);
            return;
        }
        case wire::SteerBy::later_fragment: {
            std::uint32_t at = find(steering.fragment_key);
            if (at != kNone && datagrams_[at].owner != kNone) {
                target.deliver(packet, datagrams_[at].owner);
                return;
            }
            while (free_held_ == kNone) forget_oldest(target);
            at = find(steering.fragment_key);  // it may have been the oldest
            if (at == kNone) at = add(steering.fragment_key, time, target);
            datagrams_[at].fallback = owner_of(steering.flow_hash);
            hold(datagrams_[at], packet);
            return;
        }
    }
}

void Distributor::flush(Target& target) noexcept {
    while (count_ > 0) forget_oldest(target);
}

}  // namespace seine::runtime
