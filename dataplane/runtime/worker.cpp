#include "dataplane/runtime/worker.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include <rte_pause.h>
#include <rte_prefetch.h>

#include "dataplane/runtime/dpdk/mbuf.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kBurst = pipeline::Inspector::kBurstMax;
// A frame in several buffers is copied into one piece of at most this size: what libpcap lets a
// capture hold, and more than any IP packet but a jumbogram.
constexpr std::size_t kScratchBytes = std::size_t{256} << 10;
constexpr std::size_t kFinishStep = 64;  // flows closed between two beats
constexpr unsigned kSpinsBeforeSleep = 64;
constexpr long kSleepNs = 50'000;
constexpr std::int64_t kAdvanceNs = kMillisecond;  // timers of an idle worker

void nap() noexcept {
    const timespec span{0, kSleepNs};
    nanosleep(&span, nullptr);
}

void prefetch_headers(std::span<rte_mbuf* const> packets) noexcept {
    for (const rte_mbuf* packet : packets) rte_prefetch0(rte_pktmbuf_mtod(packet, const void*));
}

}  // namespace

struct Worker::Rooms {
    Rooms(const WorkerConfig& c)
        : config(c), records(c.record_ring_bytes), scratch(new std::uint8_t[kScratchBytes]) {
        if (c.lossless) records.pause_when_full(wait_for_exporter, this);
    }

    WorkerConfig config;
    ByteRing records;
    std::unique_ptr<std::uint8_t[]> scratch;
    std::unique_ptr<pipeline::Inspector> inspector;
    WorkerCounters counters;
    // A burst waits one turn, so that its headers are on their way while the one before is inspected.
    std::array<rte_mbuf*, kBurst> bursts[2]{};
    std::array<pipeline::Frame, kBurst> frames{};
    alignas(64) std::atomic<std::uint64_t> heartbeat{0};
    std::atomic<std::uint64_t> flows_live{0};
    std::atomic<bool> done{false};
    const signature::Generation* rules = nullptr;

    void beat() noexcept {
        heartbeat.store(heartbeat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    // One packet may end many flows, when time leaps over a gap in a capture: so it is the record ring
    // itself that waits, record by record.
    static void wait_for_exporter(void* self) noexcept {
        Rooms& rooms = *static_cast<Rooms*>(self);
        rooms.counters.add(WorkerCounter::record_ring_waits);
        rooms.beat();
        nap();
    }
    [[nodiscard]] ByteView in_one_piece(const rte_mbuf* packet) noexcept;
    void inspect(std::span<rte_mbuf*> packets) noexcept;
    void adopt_rules() noexcept;
    void let_go_of_rules() noexcept;
    void finish(const PacketSource& source) noexcept;
};

// Copies a chain into the scratch. Lengths are summed over the chain: a driver's total may be cut to
// 16 bits.
ByteView Worker::Rooms::in_one_piece(const rte_mbuf* packet) noexcept {
    std::size_t bytes = 0;
    for (const rte_mbuf* part = packet; part != nullptr; part = part->next) {
        const std::size_t room = kScratchBytes - bytes;
        const std::size_t take = std::min<std::size_t>(room, part->data_len);
        std::memcpy(scratch.get() + bytes, rte_pktmbuf_mtod(part, const std::uint8_t*), take);
        bytes += take;
        if (take < part->data_len) {
            counters.add(WorkerCounter::packets_oversize);
            break;
        }
    }
    counters.add(WorkerCounter::packets_linearised);
    return {scratch.get(), bytes};
}

void Worker::Rooms::inspect(std::span<rte_mbuf*> packets) noexcept {
    std::size_t filled = 0;
    for (rte_mbuf* packet : packets) {
        const PacketMeta& meta = meta_of(packet);
        pipeline::Frame& frame = frames[filled++];
        frame.wire_bytes = meta.wire_bytes;
        frame.link = meta.link;
        frame.time = meta.time;
        if (packet->next == nullptr) {
            frame.bytes = first_bytes(packet);
            continue;
        }
        // There is one scratch: what it holds is inspected before the next chain needs it.
        frame.bytes = in_one_piece(packet);
        inspector->inspect({frames.data(), filled});
        filled = 0;
    }
    if (filled > 0) inspector->inspect({frames.data(), filled});
    give_back(packets);
    counters.add(WorkerCounter::bursts);
    counters.add(WorkerCounter::packets_received, packets.size());
    flows_live.store(inspector->flow_count(), std::memory_order_relaxed);
}

// The one place where a worker changes its rule set: between two bursts.
void Worker::Rooms::adopt_rules() noexcept {
    if (config.rules == nullptr) return;
    const signature::Generation* current = config.rules->current();
    if (current == rules) return;
    inspector->adopt(current);
    rules = current;
    config.rules->seat(config.index).adopted.store(current, std::memory_order_release);
}

void Worker::Rooms::let_go_of_rules() noexcept {
    if (config.rules == nullptr) return;
    inspector->adopt(nullptr);
    config.rules->seat(config.index).gone.store(true, std::memory_order_release);
}

void Worker::Rooms::finish(const PacketSource& source) noexcept {
    // A worker that saw nothing for a while closes its idle flows as if it had seen every packet.
    const Nanos last = source.last_time();
    if (last.count != 0) inspector->advance(last);
    bool all_closed = false;
    while (!all_closed) {
        all_closed = inspector->finish(kFinishStep);
        beat();
    }
    let_go_of_rules();
    flows_live.store(0, std::memory_order_relaxed);
    done.store(true, std::memory_order_release);
}

Worker::Worker(std::unique_ptr<Rooms> rooms) noexcept : rooms_(std::move(rooms)) {}
Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::make(const WorkerConfig& config) {
    auto rooms = std::make_unique<Rooms>(config);
    auto inspector = pipeline::Inspector::make(config.inspector, rooms->records);
    if (!inspector) return inspector.error();
    rooms->inspector = std::move(*inspector);
    return std::unique_ptr<Worker>(new Worker(std::move(rooms)));
}

void Worker::run(PacketSource& source) noexcept {
    Rooms& rooms = *rooms_;
    unsigned quiet_polls = 0;
    Nanos advanced;
    std::span<rte_mbuf*> waiting;
    unsigned turn = 0;
    for (;;) {
        rooms.beat();
        rooms.adopt_rules();
        auto& burst = rooms.bursts[turn];
        const auto fresh = std::span(burst).first(source.receive(burst));
        prefetch_headers(fresh);
        if (!waiting.empty()) rooms.inspect(waiting);
        if (!fresh.empty() || !waiting.empty()) {
            quiet_polls = 0;
            waiting = fresh;
            turn ^= 1;
            continue;
        }
        if (source.ended()) break;
        rooms.counters.add(WorkerCounter::idle_polls);
        const Nanos now = source.idle_time();
        if (now - advanced >= kAdvanceNs) {
            rooms.inspector->advance(now);
            advanced = now;
        }
        if (++quiet_polls < kSpinsBeforeSleep || !rooms.config.sleep_when_idle) {
            rte_pause();
        } else {
            nap();
        }
    }
    rooms.finish(source);
}

ByteRing& Worker::records() noexcept { return rooms_->records; }
unsigned Worker::index() const noexcept { return rooms_->config.index; }
pipeline::BypassLink* Worker::bypass() noexcept { return rooms_->inspector->bypass(); }
WorkerCounters& Worker::counters() noexcept { return rooms_->counters; }
std::uint64_t Worker::heartbeat() const noexcept {
    return rooms_->heartbeat.load(std::memory_order_relaxed);
}
const pipeline::StageCell& Worker::stage() const noexcept { return rooms_->inspector->stage(); }
bool Worker::done() const noexcept { return rooms_->done.load(std::memory_order_acquire); }

WorkerSnapshot Worker::snapshot() const {
    WorkerSnapshot out;
    out.index = rooms_->config.index;
    out.flows_live = rooms_->flows_live.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kWorkerCounterCount; ++i) {
        out.counters.push_back({std::string(kWorkerCounterTexts[i].name),
                                rooms_->counters.get(static_cast<WorkerCounter>(i)),
                                kWorkerCounterTexts[i].meaning});
    }
    for (std::size_t i = 0; i < signature::kLossCount; ++i) {
        const auto loss = static_cast<signature::Loss>(i);
        out.counters.push_back({std::string(signature::name_of(loss)), rooms_->inspector->matcher().lost(loss),
                                signature::meaning_of(loss)});
    }
    rooms_->inspector->counters().for_each([&out](std::string_view prefix, std::string_view name,
                                                  std::string_view meaning, std::uint64_t value) {
        out.counters.push_back({std::string(prefix) + std::string(name), value, meaning});
    });
    return out;
}

}  // namespace seine::runtime
