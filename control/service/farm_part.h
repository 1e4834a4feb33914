// Detection inside the daemon: its own thread, fed by the ingest thread, asked by seinectl.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "control/detect/engine.h"
#include "control/service/config.h"
#include "control/service/findings.h"
#include "control/service/ingest.h"
#include "control/store/store.h"

namespace seine::service {

struct FarmStatus {
    std::uint64_t queued = 0;
    std::uint64_t shed = 0;  // sightings that found the queue full
    std::uint64_t last_sweep_ms = 0;
    Nanos last_sweep;
    Nanos last_saved;
    std::string problem;
    detect::Counters counters;
    std::size_t farms = 0;
    std::size_t provisional = 0;
    std::size_t accounts_in_farms = 0;
};

class FarmPart {
  public:
    static constexpr std::size_t kQueueMax = 400'000;

    // Reads what the run before saved. Fails on a prefix table that is not sound.
    static Result<std::unique_ptr<FarmPart>> make(const Config& config, const store::Store& store, Findings& findings,
                                                  std::function<Nanos()> clock);
    // Ends the thread and saves.
    ~FarmPart();
    // For Ingest::add(); this outlives the ingest.
    IngestPart part();

    // Any thread. Farms as of the last tick; why() waits for a sweep that is under way.
    [[nodiscard]] std::vector<model::Farm> farms() const;
    [[nodiscard]] detect::Explanation why(const model::AccountTag& account) const;
    [[nodiscard]] FarmStatus status() const;
    // An analyst's word; it is saved before this returns. `reason` is not empty.
    [[nodiscard]] Status confirm(std::uint64_t farm, const std::string& reason);
    [[nodiscard]] Status dismiss(std::uint64_t farm, const std::string& reason);
    [[nodiscard]] Status merge(std::uint64_t into, std::uint64_t from);

  private:
    using Item = std::variant<model::Sighting, model::AccountEvent>;
    FarmPart(Findings& findings, std::function<Nanos()> clock) : findings_(findings), clock_(std::move(clock)) {}
    void put(Item item);
    void run();
    void take(std::vector<Item>& items);
    void look(Nanos now);
    void save(Nanos now);
    Status decided(Status status, Nanos now);

    Findings& findings_;
    std::function<Nanos()> clock_;
    std::string state_path_;
    std::int64_t sweep_every_ = 300 * kSecond;

    mutable std::mutex engine_mutex_;
    std::unique_ptr<detect::Engine> engine_;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    std::vector<Item> queue_;
    std::vector<model::Farm> farms_;
    FarmStatus status_;
    bool stopping_ = false;

    Nanos next_sweep_;
    std::thread thread_;
};

}  // namespace seine::service
