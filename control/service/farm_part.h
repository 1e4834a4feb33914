// Detection inside the daemon: fed by the thread that adds up, asked by seinectl.
//
//   adds up -> queue -> takes connections in        every tenth of a second; scores newcomers
//                             engine                one lock, in turn, for a moment at a time
//                       sweeps, saves, tells        a few hundred accounts at a time; thinks without the lock
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <variant>
#include <vector>

#include "control/detect/engine.h"
#include "control/service/config.h"
#include "control/service/detection_sections.h"
#include "control/service/fair_mutex.h"
#include "control/service/findings.h"
#include "control/service/ingest.h"
#include "control/store/store.h"

namespace seine::service {

struct FarmStatus {
    std::uint64_t queued = 0;
    std::uint64_t shed = 0;  // sightings that found the queue full
    std::uint64_t taken = 0;  // sightings and events that detection has taken in
    bool sweeping = false;
    std::uint64_t last_sweep_ms = 0;
    // The longest that connections waited for one step of a sweep, of its saving or of its telling.
    std::uint64_t pause_us_longest = 0;
    Nanos last_sweep;
    Nanos last_saved;
    std::string problem;
    detect::Counters counters;
    std::size_t farms = 0;
    std::size_t provisional = 0;
    std::size_t accounts_in_farms = 0;
    std::uint64_t accounts_told = 0;      // events of evidence
    std::uint64_t accounts_not_told = 0;  // beyond kAccountsToldMax of a sweep
};

class FarmPart final : public DetectionTuned {
  public:
    static constexpr std::size_t kQueueMax = 400'000;

    // Reads what the run before saved. Fails on a prefix table that is not sound. `before_thinking` is for
    // tests: it is called in the thread that sweeps, without any lock.
    static Result<std::unique_ptr<FarmPart>> make(const Config& config, const store::Store& store, Findings& findings,
                                                  std::function<Nanos()> clock, DetectionSections& sections,
                                                  std::function<void()> before_thinking = {});
    // Ends the threads and saves. A sweep that is freezing accounts is given up, one that thinks is waited for.
    ~FarmPart() override;
    FarmPart(const FarmPart&) = delete;
    FarmPart& operator=(const FarmPart&) = delete;
    // For Ingest::add(); this outlives the ingest.
    IngestPart part();

    // Any thread. Farms as of the last second, or of the second before a sweep that is under way.
    using FarmsView = std::shared_ptr<const std::vector<model::Farm>>;
    [[nodiscard]] FarmsView farms() const;
    [[nodiscard]] detect::Explanation why(const model::AccountTag& account) const;
    [[nodiscard]] FarmStatus status() const;
    // An analyst's word; it is saved before this returns. `reason` is not empty.
    [[nodiscard]] Status confirm(std::uint64_t farm, const std::string& reason);
    [[nodiscard]] Status dismiss(std::uint64_t farm, const std::string& reason);
    [[nodiscard]] Status merge(std::uint64_t into, std::uint64_t from);
    [[nodiscard]] Result<std::uint64_t> split(std::uint64_t farm, const std::vector<model::AccountTag>& accounts,
                                              const std::string& reason);
    // Policy and feedback of the running revision; from the next sweep on.
    void set_policy(double budget, std::uint32_t orgs_min) override;
    [[nodiscard]] Status set_rules(std::vector<detect::FeedbackRule> rules) override;
    [[nodiscard]] std::vector<detect::FeedbackRule> rules() const;
    // Empty where the farm is not known.
    [[nodiscard]] std::vector<detect::MemberView> members(std::uint64_t farm) const;

  private:
    using Item = std::variant<model::Sighting, model::AccountEvent>;
    // What goes from thread to thread in one go, and back empty: its items keep the memory of their
    // lists, so that none is made in one thread and given back in the other.
    struct Parcel {
        std::vector<Item> items;
        std::size_t count = 0;
        template <typename Said>
        void add(const Said& said) {
            if (count == items.size()) items.emplace_back(said);
            else items[count] = said;
            ++count;
        }
    };
    static constexpr std::size_t kParcelItems = 1024;
    static constexpr std::size_t kSpareMax = 256;
    static constexpr std::int64_t kParcelWait = 50 * kMillisecond;
    // Held alone while a sweep is put in force in steps; shared by everything else that is asked of the
    // engine than to take connections in. Before the engine's lock.
    mutable std::shared_mutex in_force_;
    // The lock of the engine for one step of a sweep, of saving or of telling; it is timed.
    class Step;
    FarmPart(Findings& findings, std::function<Nanos()> clock, DetectionSections& sections)
        : findings_(findings), clock_(std::move(clock)), sections_(sections) {}
    template <typename Said>
    void add(const Said& said) {
        fresh_.add(said);
        if (fresh_.count >= kParcelItems) hand_over();
    }
    void hand_over();
    void take_in();
    void take(const Parcel& parcel);
    void look_for_farms();
    [[nodiscard]] bool wait(std::chrono::milliseconds most);  // true when the end has come
    void sweep(Nanos now);
    void put_in_force();
    void publish();
    void tell(Nanos now);
    void save(Nanos now);
    [[nodiscard]] Status write_state(const std::string& path);
    Status decided(Status status, Nanos now);

    Findings& findings_;
    std::function<Nanos()> clock_;
    DetectionSections& sections_;
    std::string state_path_;
    std::int64_t sweep_every_ = 300 * kSecond;

    Parcel fresh_;  // of the thread that adds up: handed over when it is full, or has waited
    Nanos handed_over_;

    mutable FairMutex engine_mutex_;
    std::unique_ptr<detect::Engine> engine_;
    std::atomic<std::uint64_t> pause_us_longest_{0};
    std::function<void()> before_thinking_;

    std::mutex save_mutex_;     // one save at a time
    std::mutex publish_mutex_;  // one copy of the farms at a time; of what follows
    std::uint64_t published_ = 0;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    std::vector<Parcel> queue_;
    std::vector<Parcel> spare_;
    std::size_t queued_ = 0;  // items in queue_
    FarmsView farms_;
    FarmStatus status_;
    bool stopping_ = false;

    Nanos next_sweep_;
    std::thread takes_in_;
    std::thread looks_;
};

}  // namespace seine::service
