#include "dataplane/runtime/live_source.h"

#include "dataplane/base/hash.h"
#include "dataplane/runtime/dpdk/mbuf.h"
#include "dataplane/wire/steering.h"
#include "dataplane/wire/tunnel.h"

namespace seine::runtime {
namespace {

// After the stop what the kernel still holds is read, but a busy line never falls silent.
constexpr std::size_t kDrainMax = 65536;
constexpr std::size_t kVlanTagsMax = 2;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

bool plain_transport(ByteView bytes, std::uint8_t protocol) noexcept {
    if (protocol == kTcp) return true;
    if (protocol != kUdp || bytes.size() < 8) return false;
    // Asked both ways round, so that both directions of a flow get one answer.
    const std::uint16_t source = load_be16(bytes.data());
    const std::uint16_t target = load_be16(bytes.data() + 2);
    return !wire::may_be_udp_tunnel(source, target) && !wire::may_be_udp_tunnel(target, source);
}

bool plain_ip(ByteView ip) noexcept {
    if (ip.size() < 20) return false;
    if (ip[0] >> 4 == 4) {
        const std::size_t header_bytes = std::size_t{ip[0]} % 16 * 4;
        const bool fragment = (load_be16(ip.data() + 6) & 0x3fff) != 0;
        return header_bytes >= 20 && ip.size() >= header_bytes && !fragment &&
               plain_transport(ip.subspan(header_bytes), ip[9]);
    }
    return ip[0] >> 4 == 6 && ip.size() >= 40 && plain_transport(ip.subspan(40), ip[6]);
}

}  // namespace

bool plain_flow(ByteView frame, wire::LinkType link) noexcept {
    if (link == wire::LinkType::raw_ip) return plain_ip(frame);
    if (link != wire::LinkType::ethernet || frame.size() < 14) return false;
    std::uint16_t type = load_be16(frame.data() + 12);
    frame = frame.subspan(14);
    for (std::size_t tags = 0; type == 0x8100 || type == 0x88a8; ++tags) {
        if (tags == kVlanTagsMax || frame.size() < 4) return false;
        type = load_be16(frame.data() + 2);
        frame = frame.subspan(4);
    }
    return (type == kIpv4 || type == kIpv6) && plain_ip(frame);
}

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
                       Handover& handover, WorkerCounters& counters)
    : index_(index), clock_(clock), handover_(handover), counters_(counters) {
    for (const LivePort& from : ports) {
        for (unsigned queue = index; queue < from.port->queues(); queue += handover.workers()) {
            queues_.push_back({from, static_cast<std::uint16_t>(queue)});
        }
    }
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
        const std::size_t kept = keep_own(out.first(got), queue.from);
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
