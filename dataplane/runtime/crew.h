// All threads that touch packets, from start to stop: workers, their sources, and what feeds them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/live_plan.h"
#include "dataplane/runtime/stats.h"
#include "dataplane/runtime/worker.h"

namespace seine::runtime {

struct CrewConfig {
    unsigned workers = 1;
    pipeline::InspectorConfig inspector;  // limits are those of the whole dataplane
    std::size_t record_ring_bytes = std::size_t{16} << 20;
    bool sleep_when_idle = true;  // live workers nap when nothing comes
    Reload* rules = nullptr;      // outlives the crew
    std::vector<std::uint16_t> keep_ports;  // live: only TCP and UDP of these ports; empty: everything
};

class Crew {
  public:
    // What the EAL must provide for such a crew.
    static unsigned slots_for_files(unsigned workers) noexcept;
    static std::size_t memory_for_files() noexcept;

    // Capture files, in order, as one stream. With one worker that worker reads them itself; with more,
    // a receiver deals the packets so that a flow stays at one worker.
    static Result<std::unique_ptr<Crew>> for_files(Eal& eal, const CrewConfig& config,
                                                   std::vector<std::string> paths);
    // Live ports as `plan_live` laid them out.
    static Result<std::unique_ptr<Crew>> for_live(Eal& eal, const CrewConfig& config,
                                                  const LivePlan& plan);
    virtual ~Crew() = default;  // call stop() and wait for done() first
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    virtual Status start() = 0;
    // Asks for the end: nothing more is taken from outside, what is inside is inspected.
    virtual void stop() noexcept = 0;
    // Input that broke off or could not be read, one line each. Call once done().
    [[nodiscard]] virtual std::vector<std::string> problems() const = 0;
    [[nodiscard]] virtual Snapshot snapshot() const = 0;
    // About once a second, from one thread: clock discipline, kernel counters, stall watch. Returns
    // what an operator should hear now, one line each.
    virtual std::vector<std::string> tend() { return {}; }

    [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const noexcept {
        return workers_;
    }
    // Every worker has returned; no record will follow.
    [[nodiscard]] bool done() const noexcept;

  protected:
    Crew() = default;
    // Makes the workers; each gets its share of the limits.
    Status hire(const CrewConfig& config, bool lossless, bool sleep_when_idle);

    std::vector<std::unique_ptr<Worker>> workers_;
};

// The limits of one of `workers` workers: totals divided, per-flow bounds unchanged.
[[nodiscard]] pipeline::Limits share_of(const pipeline::Limits& whole, unsigned workers) noexcept;

}  // namespace seine::runtime
