// Detection inside the daemon: its own thread, fed by the one that adds up, asked by seinectl.
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
#include "control/service/detection_sections.h"
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
    std::uint64_t accounts_told = 0;      // events of evidence
    std::uint64_t accounts_not_told = 0;  // beyond kAccountsToldMax of a sweep
};

class FarmPart final : public DetectionTuned {
  public:
    static constexpr std::size_t kQueueMax = 400'000;

    // Reads what the run before saved. Fails on a prefix table that is not sound.
    static Result<std::unique_ptr<FarmPart>> make(const Config& config, const store::Store& store, Findings& findings,
                                                  std::function<Nanos()> clock, DetectionSections& sections);
    // Ends the thread and saves.
    ~FarmPart() override;
    FarmPart(const FarmPart&) = delete;
    FarmPart& operator=(const FarmPart&) = delete;
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
    [[nodiscard]] Result<std::uint64_t> split(std::uint64_t farm, const std::vector<model::AccountTag>& accounts,
                                              const std::string& reason);
    // Policy and feedback of the running revision; from the next sweep on.
    void set_policy(double budget, std::uint32_t orgs_min) override;
    [[nodiscard]] Status set_rules(std::vector<detect::FeedbackRule> rules) override;
    [[nodiscard]] std::vector<detect::FeedbackRule> rules() const;
    // Waits for a sweep that is under way. Empty where the farm is not known.
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
    FarmPart(Findings& findings, std::function<Nanos()> clock, DetectionSections& sections)
        : findings_(findings), clock_(std::move(clock)), sections_(sections) {}
    template <typename Said>
    void add(const Said& said) {
        fresh_.add(said);
        if (fresh_.count >= kParcelItems) hand_over();
    }
    void hand_over();
    void run();
    void take(const Parcel& parcel);
    void look(Nanos now);
    void save(Nanos now);
    Status decided(Status status, Nanos now);

    Findings& findings_;
    std::function<Nanos()> clock_;
    DetectionSections& sections_;
    std::string state_path_;
    std::int64_t sweep_every_ = 300 * kSecond;

    Parcel fresh_;  // of the thread that adds up: handed over when it is full, or has waited
    Nanos handed_over_;

    mutable std::mutex engine_mutex_;
    std::unique_ptr<detect::Engine> engine_;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable wake_;
    std::vector<Parcel> queue_;
    std::vector<Parcel> spare_;
    std::size_t queued_ = 0;  // items in queue_
    std::vector<model::Farm> farms_;
    FarmStatus status_;
    bool stopping_ = false;

    Nanos next_sweep_;
    std::thread thread_;
};

}  // namespace seine::service
