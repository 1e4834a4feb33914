// One worker: burst, prefetch, inspect, free. It shares nothing it writes.
#pragma once
#include <memory>

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/status.h"
#include "dataplane/pipeline/bypass.h"
#include "dataplane/pipeline/inspector.h"
#include "dataplane/runtime/reload.h"
#include "dataplane/runtime/source.h"
#include "dataplane/runtime/stats.h"

namespace seine::runtime {

struct WorkerConfig {
    unsigned index = 0;
    pipeline::InspectorConfig inspector;
    std::size_t record_ring_bytes = std::size_t{16} << 20;
    // File input: wait for the exporter rather than lose a record. Live input never waits.
    bool lossless = false;
    Reload* rules = nullptr;  // where its rule sets come from; outlives the worker
    bool sleep_when_idle = true;  // false: spin, for ports that lose packets within microseconds
};

class Worker {
  public:
    static Result<std::unique_ptr<Worker>> make(const WorkerConfig& config);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Runs on its own thread until the source has ended; closes every live flow, then returns.
    // Allocates nothing.
    void run(PacketSource& source) noexcept;

    // The exporter's end of the record ring.
    [[nodiscard]] ByteRing& records() noexcept;
    [[nodiscard]] unsigned index() const noexcept;
    // Flows that a card may pass by, for the thread that tends the crew; nullptr without --bypass-mib.
    [[nodiscard]] pipeline::BypassLink* bypass() noexcept;
    [[nodiscard]] WorkerCounters& counters() noexcept;
    // Counts up at every turn of the loop; a watcher that sees it stand still reports a stall.
    [[nodiscard]] std::uint64_t heartbeat() const noexcept;
    // Which part of the line the worker is in; any thread may look.
    [[nodiscard]] const pipeline::StageCell& stage() const noexcept;
    // run() has returned: no record will follow.
    [[nodiscard]] bool done() const noexcept;
    [[nodiscard]] WorkerSnapshot snapshot() const;

  private:
    struct Rooms;
    explicit Worker(std::unique_ptr<Rooms> rooms) noexcept;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace seine::runtime
