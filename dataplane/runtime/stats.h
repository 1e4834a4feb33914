// What ports and workers count, and one snapshot of all of it.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seine::runtime {

struct PortCounters {
    std::uint64_t ipackets = 0;        // packets the driver delivered
    std::uint64_t ibytes = 0;
    std::uint64_t imissed = 0;         // packets the device had no descriptor for
    std::uint64_t ierrors = 0;
    std::uint64_t rx_nombuf = 0;       // packets lost because the pool was empty
    std::uint64_t kernel_packets = 0;  // af_packet: packets the kernel saw for us, drops included
    std::uint64_t kernel_drops = 0;    // af_packet, af_xdp: packets the kernel had no room for
};

// X(name, meaning): what a worker counts around its inspector.
#define SEINE_WORKER_COUNTERS(X)                                                            \
    X(bursts, "bursts received")                                                            \
    X(packets_received, "packets taken from the port or the receiver")                      \
    X(packets_linearised, "packets of several buffers, copied into one piece")              \
    X(packets_oversize, "packets past 64 KiB, inspected as far as that")                    \
    X(packets_handed_over, "packets passed to the worker that owns their flow")             \
    X(packets_taken_over, "packets received from other workers")                            \
    X(handover_dropped, "packets lost because the owner's queue was full")                  \
    X(packets_forwarded, "packets sent on at the other port of an inline pair")             \
    X(forward_dropped, "packets that the other port of an inline pair did not take")        \
    X(packets_unwanted, "packets of ports that --keep-port does not name, left out in software") \
    X(packets_shed, "packets of flow buckets left out under overload")                      \
    X(bytes_shed, "their bytes")                                                            \
    X(fragments_held, "fragments that waited for the first of their datagram")              \
    X(fragments_unowned, "fragments passed on without their first one")                     \
    X(record_ring_waits, "pauses of file input until the exporter made room")               \
    X(idle_polls, "polls that found nothing")

enum class WorkerCounter : std::uint16_t {
#define SEINE_X(name, meaning) name,
    SEINE_WORKER_COUNTERS(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kWorkerCounterCount = static_cast<std::size_t>(WorkerCounter::count_);

struct WorkerCounterText {
    std::string_view name;
    std::string_view meaning;
};
inline constexpr WorkerCounterText kWorkerCounterTexts[] = {
#define SEINE_X(name, meaning) {#name, meaning},
    SEINE_WORKER_COUNTERS(SEINE_X)
#undef SEINE_X
};

// One writer, any number of readers.
class WorkerCounters {
  public:
    void add(WorkerCounter counter, std::uint64_t n = 1) noexcept {
        auto& cell = cells_[static_cast<std::size_t>(counter)];
        cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(WorkerCounter counter) const noexcept {
        return cells_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }

  private:
    std::array<std::atomic<std::uint64_t>, kWorkerCounterCount> cells_{};
};

// --bypass-mib, of one card.
struct BypassCounts {
    bool wanted = false;
    std::uint64_t flows = 0;    // passed by now
    std::uint64_t made = 0;     // since the start
    std::uint64_t refused = 0;  // asks that the card did not take; the flow goes on in software
    std::uint64_t full = 0;     // asks past the most it is given
    std::uint64_t packets = 0;  // dropped and counted by the card
    std::uint64_t bytes = 0;    // of their frames
    std::string refusal;        // the newest one
};

struct NamedCount {
    std::string name;
    std::uint64_t value = 0;
    std::string_view meaning;  // of a table that lives as long as the program
};
struct PortSnapshot {
    std::string label;
    bool link_up = false;
    std::uint32_t link_megabits = 0;
    PortCounters counters;
    // --keep-port: "card", "software" or empty; how many rules, and why the card has none.
    std::string offload;
    std::size_t offload_rules = 0;
    std::string offload_refusal;
    BypassCounts bypass;
};
struct WorkerSnapshot {
    unsigned index = 0;
    std::uint64_t flows_live = 0;
    bool stalled = false;
    std::vector<NamedCount> counters;  // worker counters, then the inspector's, in table order
};
struct Snapshot {
    std::vector<PortSnapshot> ports;
    std::vector<WorkerSnapshot> workers;
    unsigned shed_buckets = 0;  // of the 128 that flows fall into: left out at present
    std::vector<NamedCount> receiver;  // of the thread that deals packets to them; empty without one
    // Sums over the workers, same names and order.
    [[nodiscard]] std::vector<NamedCount> totals() const;
};

}  // namespace seine::runtime
