#include "dataplane/runtime/live_source.h"

#include "dataplane/base/hash.h"
#include "dataplane/runtime/dpdk/mbuf.h"
#include "dataplane/runtime/forward.h"
#include "dataplane/wire/steering.h"

namespace seine::runtime {
namespace {

// After the stop what the kernel still holds is read, but a busy line never falls silent.
constexpr std::size_t kDrainMax = 65536;

}  // namespace

Handover::Handover(unsigned workers, std::uint32_t ring_slots) : workers_(workers) {
    for (unsigned i = 0; i < workers * workers; ++i) {
        rings_.push_back(std::make_unique<PacketRing>(ring_slots));
    }
}

Handover::~Handover() {
    rte_mbuf* packet = nullptr;
    for (const auto& ring : rings_) {
        while (ring->pop({&packet, 1}) > 0) give_back({&packet, 1});
    }
}

unsigned Handover::owner(ByteView frame, wire::LinkType link, bool symmetric,
                         unsigned at) const noexcept {
    if (workers_ == 1 || (symmetric && plain_flow(frame, link))) return at;
    const wire::Steering steering = wire::peek(frame, link);
    std::uint64_t hash = steering.flow_hash;
    switch (steering.by) {
        case wire::SteerBy::none:
            return at;
        case wire::SteerBy::addresses:
        case wire::SteerBy::flow:
            break;
        case wire::SteerBy::first_fragment:
        case wire::SteerBy::later_fragment:
            hash = mix64(steering.fragment_key, 0x9e3779b97f4a7c15u);
            break;
    }
    return static_cast<unsigned>(((hash >> 32) * workers_) >> 32);
}

LiveSource::LiveSource(unsigned index, const std::vector<LivePort>& ports, const TscClock& clock,
                       Handover& handover, WorkerCounters& counters, const ShedLevel* shed)
    : index_(index), clock_(clock), handover_(handover), counters_(counters), shed_(shed) {
    for (const LivePort& from : ports) {
        for (unsigned queue = index; queue < from.port->queues(); queue += handover.workers()) {
            queues_.push_back({from, static_cast<std::uint16_t>(queue)});
        }
    }
}

std::size_t LiveSource::keep_wanted(std::span<rte_mbuf*> got, const LivePort& from) noexcept {
    std::size_t kept = 0;
    for (rte_mbuf* packet : got) {
        if (from.filter->wants(first_bytes(packet), from.link)) {
            got[kept++] = packet;
        } else {
            give_back({&packet, 1});
        }
    }
    counters_.add(WorkerCounter::packets_unwanted, got.size() - kept);
    return kept;
}

// Under overload: frees the packets of the buckets that are left out and closes ranks. Before the handover, so
// that they cost nobody more.
std::size_t LiveSource::leave_out(std::span<rte_mbuf*> got, const LivePort& from, unsigned level) noexcept {
    std::size_t kept = 0;
    std::uint64_t bytes = 0;
    for (rte_mbuf* packet : got) {
        const bool hashed = from.symmetric && (packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0;
        if (shed_bucket(hashed ? &packet->hash.rss : nullptr, first_bytes(packet), from.link) >= level) {
            got[kept++] = packet;
            continue;
        }
        bytes += packet->pkt_len;
        give_back({&packet, 1});
    }
    counters_.add(WorkerCounter::packets_shed, got.size() - kept);
    counters_.add(WorkerCounter::bytes_shed, bytes);
    return kept;
}

// Keeps the packets of this worker at the front of `got` and hands the others over.
std::size_t LiveSource::keep_own(std::span<rte_mbuf*> got, const LivePort& from) noexcept {
    const Nanos now = clock_.now();
    std::size_t kept = 0;
    for (rte_mbuf* packet : got) {
        meta_of(packet) = {now, packet->pkt_len, from.link};
        const unsigned owner =
            handover_.owner(first_bytes(packet), from.link, from.symmetric, index_);
        if (owner == index_) {
            got[kept++] = packet;
        } else if (handover_.ring(index_, owner).push(packet)) {
            counters_.add(WorkerCounter::packets_handed_over);
        } else {
            counters_.add(WorkerCounter::handover_dropped);
            give_back({&packet, 1});
        }
    }
    return kept;
}

// `silent`: no port had anything, not even for others.
std::size_t LiveSource::receive_own(std::span<rte_mbuf*> out, bool& silent) noexcept {
    silent = true;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        const Queue& queue = queues_[queue_next_];
        queue_next_ = queue_next_ + 1 == queues_.size() ? 0 : queue_next_ + 1;
        const std::size_t got = queue.from.port->receive(queue.number, out);
        if (got == 0) continue;
        silent = false;
        if (handover_.stopped()) drained_ += got;
        if (queue.from.forward_to != nullptr) forward(queue.from.forward_to->id(), queue.number, out.first(got), counters_);
        std::size_t mine = got;
        if (queue.from.filter != nullptr) mine = keep_wanted(out.first(got), queue.from);
        if (shed_ != nullptr) {
            const unsigned level = shed_->load(std::memory_order_relaxed);
            if (level > 0) [[unlikely]] mine = leave_out(out.first(mine), queue.from, level);
        }
        const std::size_t kept = keep_own(out.first(mine), queue.from);
        if (kept > 0) return kept;
    }
    return 0;
}

std::size_t LiveSource::receive_handed(std::span<rte_mbuf*> out) noexcept {
    for (unsigned i = 0; i < handover_.workers(); ++i) {
        const unsigned from = peer_next_;
        peer_next_ = peer_next_ + 1 == handover_.workers() ? 0 : peer_next_ + 1;
        if (from == index_) continue;
        const std::size_t got = handover_.ring(from, index_).pop(out);
        if (got == 0) continue;
        counters_.add(WorkerCounter::packets_taken_over, got);
        return got;
    }
    return 0;
}

std::size_t LiveSource::receive(std::span<rte_mbuf*> out) noexcept {
    // Handed packets first: they are the older ones, and their sender loses what finds no room.
    std::size_t got = receive_handed(out);
    if (got < out.size() && !closed_) {
        bool silent = false;
        got += receive_own(out.subspan(got), silent);
        if (handover_.stopped() && (silent || drained_ >= kDrainMax)) {
            closed_ = true;
            handover_.close_one();
        }
    }
    return got;
}

bool LiveSource::ended() const noexcept {
    if (!closed_ || !handover_.all_closed()) return false;
    for (unsigned from = 0; from < handover_.workers(); ++from) {
        if (from != index_ && !handover_.ring(from, index_).empty()) return false;
    }
    return true;
}

}  // namespace seine::runtime
