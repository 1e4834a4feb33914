#include "dataplane/runtime/bench_feed.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <rte_errno.h>
#include <rte_prefetch.h>

#include "dataplane/runtime/dpdk/mbuf.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kBareBurst = 64;  // as the worker's

// The arena outlives every packet, so there is nothing to do when the last reference goes.
void nobody_frees(void*, void*) {}

}  // namespace

struct BenchFeed::Rooms {
    rte_mempool* pool = nullptr;
    rte_mbuf_ext_shared_info shared{};
    std::vector<rte_mbuf*> packets;

    ~Rooms() {
        if (!packets.empty()) rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
        rte_mempool_free(pool);
    }
};

BenchFeed::BenchFeed(std::unique_ptr<Rooms> rooms, Turn& turn) noexcept
    : rooms_(std::move(rooms)), turn_(turn) {}
BenchFeed::~BenchFeed() = default;

Result<std::unique_ptr<BenchFeed>> BenchFeed::make(Turn& turn) {
    static unsigned made = 0;
    auto rooms = std::make_unique<Rooms>();
    const std::string name = "seine-bench-" + std::to_string(made++);
    constexpr std::uint16_t kPrivateBytes = (sizeof(PacketMeta) + 7) / 8 * 8;
    rooms->pool = rte_pktmbuf_pool_create(name.c_str(), kRingPackets, 0, kPrivateBytes, 0, SOCKET_ID_ANY);
    if (rooms->pool == nullptr)
        return failed(std::string("no memory for the bench's packets: ") + rte_strerror(rte_errno));
    rooms->packets.resize(kRingPackets);
    if (rte_pktmbuf_alloc_bulk(rooms->pool, rooms->packets.data(), kRingPackets) != 0) {
        rooms->packets.clear();
        return failed("the packet pool came out too small");
    }
    rooms->shared.free_cb = nobody_frees;
    rte_mbuf_ext_refcnt_set(&rooms->shared, 1);
    // In the order of their memory, as a ring of descriptors is. Each stays attached to what it shows.
    std::sort(rooms->packets.begin(), rooms->packets.end());
    for (rte_mbuf* packet : rooms->packets) {
        rte_mbuf_ext_refcnt_update(&rooms->shared, 1);
        rte_pktmbuf_attach_extbuf(packet, rooms.get(), RTE_BAD_IOVA, 1, &rooms->shared);
    }
    return std::unique_ptr<BenchFeed>(new BenchFeed(std::move(rooms), turn));
}

std::size_t BenchFeed::hand_out(std::span<rte_mbuf*> out) noexcept {
    const std::size_t count = std::min(out.size(), frames_.size() - at_);
    for (std::size_t i = 0; i < count; ++i) {
        const BenchFrame& frame = frames_[at_ + i];
        rte_mbuf* packet = rooms_->packets[next_++ % kRingPackets];
        packet->buf_addr = frame.bytes;
        packet->buf_len = frame.length;
        packet->data_off = 0;
        packet->data_len = frame.length;
        packet->pkt_len = frame.length;
        rte_mbuf_refcnt_set(packet, 2);
        meta_of(packet) = frame.meta;
        out[i] = packet;
    }
    at_ += count;
    return count;
}

std::size_t BenchFeed::receive(std::span<rte_mbuf*> out) noexcept {
    if (at_ == frames_.size() && !ended_) {
        // Once with nothing, so that a reader that holds packets back comes to their end first.
        idle_ = !idle_;
        if (idle_) return 0;
        ended_ = !turn_.next(*this);
    } else if (at_ >= breath_at_) {
        breath_at_ += kBreathPackets;
        turn_.breathe();
    }
    return ended_ ? 0 : hand_out(out);
}

std::uint64_t BenchFeed::drain_bare() noexcept {
    std::array<rte_mbuf*, kBareBurst> packets;
    std::uint64_t sum = 0;
    while (const std::size_t count = hand_out(packets)) {
        for (std::size_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(packets[i], const void*));
        for (std::size_t i = 0; i < count; ++i) {
            const ByteView bytes = first_bytes(packets[i]);
            sum += meta_of(packets[i]).wire_bytes + bytes[0] + bytes[bytes.size() < 60 ? 0 : 59];
        }
        give_back(std::span(packets).first(count));
    }
    return sum;
}

}  // namespace seine::runtime
