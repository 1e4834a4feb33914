// All destinations: takes events of any thread and hands each to every destination that wants it.
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/export/destination.h"

namespace seine::siem {

// What `export estimate` answers, from the events of the last hour at most.
struct Estimate {
    double observed_seconds = 0;  // over how long events were looked at
    double events_per_day = 0;
    double bytes_per_day = 0;
    std::array<double, 5> events_per_day_by_kind{};  // in the order of model::EventKind
};

class Exporter {
  public:
    struct Options {
        std::string directory;  // of outboxes; is made if missing
        std::string sensor = "seine";
    };
    static Result<std::unique_ptr<Exporter>> open(Options options);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    // Gives the event its number and queues it. Any thread; never waits for a receiver.
    void submit(model::Event event);

    // Whether any destination wants flow summaries; else making them can be left out. Any thread.
    [[nodiscard]] bool takes_flows() const noexcept {
        return takes_flows_.load(std::memory_order_relaxed);
    }

    // New destinations in two steps. prepare() checks and opens what is new without touching what
    // runs; apply() replaces and cannot fail. Destinations whose settings did not change go on
    // undisturbed, what waits for one that goes stays on the disk for one of the same name.
    class Change {
      public:
        ~Change();

      private:
        friend class Exporter;
        std::vector<std::unique_ptr<Destination>> fresh;
        std::vector<std::string> kept;
        std::vector<std::unique_ptr<Destination>>
            successors;  // of a name that runs: take over its outbox
    };
    Result<std::unique_ptr<Change>> prepare(const std::vector<DestinationSettings>& wanted);
    void apply(std::unique_ptr<Change> change);

    [[nodiscard]] std::vector<DestinationStatus> status() const;
    Status pause(const std::string& name, bool paused);
    Result<std::uint64_t> replay(const std::string& name, std::int64_t since_ns);
    // Puts one event that says what it is into the destination's outbox.
    Status test(const std::string& name);
    // Connects to the destination with a carrier of its own and sends one test event: the
    // receiver's answer now.
    Status probe(const std::string& name);
    Result<Estimate> estimate(const DestinationSettings& settings) const;
    void reopen();  // certificates, keys and files anew
    // Waits until all that was submitted has arrived, or the time is over.
    bool drain(int timeout_ms);
    [[nodiscard]] std::array<std::uint64_t, 5> submitted() const;
    // From what an event tells of (a packet, a sweep) to submit(), of all but flow summaries.
    [[nodiscard]] const Histogram& age() const noexcept { return age_; }

  private:
    explicit Exporter(Options options) : options_(std::move(options)) {}
    Status load_sequence();
    void save_sequence(std::uint64_t to);
    [[nodiscard]] std::shared_ptr<Destination> find(const std::string& name) const;
    void told(const std::string& name, bool up, const std::string& why);
    void run_ticks();
    Destination::Changed changed();

    Options options_;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Destination>> destinations_;
    std::uint64_t sequence_ = 0;
    std::uint64_t sequence_saved_ = 0;  // numbers below are given out after a restart
    std::array<std::uint64_t, 5> submitted_{};
    Histogram age_;
    // For estimates: the last events of each kind, and since when they are counted.
    static constexpr std::size_t kRememberedMax = 64;
    std::array<std::deque<model::Event>, 5> remembered_;
    std::int64_t started_ns_ = 0;
    std::thread ticks_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> takes_flows_{false};
};

}  // namespace seine::siem
