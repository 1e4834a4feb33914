// One destination: what it is configured to, what waits for it, and the thread that delivers.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/export/carrier.h"
#include "control/export/filter.h"
#include "control/export/histogram.h"
#include "control/export/outbox.h"
#include "control/export/render.h"

namespace seine::siem {

struct DestinationSettings {
    CarrierSettings carrier;  // carrier.name is the destination's
    std::string format = "ecs";
    Filter filter;
    RenderOptions render;
    OutboxLimits outbox;
    std::uint32_t events_per_second = 0;  // 0: as fast as it goes
    std::uint32_t backfill_per_second =
        20'000;  // while what is sent is older than ten seconds; 0: as fast as it goes
    bool paused = false;
    std::string
        fingerprint;  // of the configuration it was made from: the same means nothing to change
    // At a start nobody can be asked for a file that is missing: with `again`, which reads the
    // settings anew, the destination begins without its carrier, and events wait. Empty: what is
    // missing is an error.
    std::function<Result<CarrierSettings>()> again;
    Status missing;  // what was found so, where `again` is set
};

struct DestinationStatus {
    std::string name;
    std::string carrier;
    std::string format;
    std::string target;
    bool paused = false;
    bool up = false;            // the last try went through, or nothing was tried yet
    std::int64_t since_ns = 0;  // of `up`
    std::string error;          // of the last try that failed, while down
    std::uint64_t deliveries_failed = 0;
    std::uint64_t refused = 0;       // by the receiver, for good
    std::uint64_t filtered = 0;      // events that its filter kept back
    std::uint64_t unrenderable = 0;  // events without a kind
    std::uint64_t delivered_bytes = 0;
    bool acknowledges = false;
    OutboxCounts outbox;
    std::array<std::uint64_t, Histogram::kEnds.size() + 1>
        delay_counts{};  // of findings, queued to arrived
    double delay_sum_seconds = 0;
};

class Destination {
  public:
    // Told of changes between up and down, from the delivery thread.
    using Changed = std::function<void(const std::string& name, bool up, const std::string& why)>;

    // Checks settings and opens the outbox below `directory` (empty: adopt() brings one); nothing
    // runs yet.
    static Result<std::unique_ptr<Destination>> make(const DestinationSettings& settings,
                                                     const std::string& directory, Changed changed);
    ~Destination();
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;

    // Lets the delivery thread run; nothing when it does already.
    void start();
    // Ends the delivery thread; the outbox goes on in a successor of the same name.
    std::shared_ptr<Outbox> release();
    void adopt(std::shared_ptr<Outbox> outbox);
    // One thread at a time.
    void offer(const model::Event& event, std::int64_t now_ns);
    void tick(std::int64_t now_ns);  // every second or so: minutes that ended
    void pause(bool paused);
    std::uint64_t replay(std::int64_t since_ns) { return outbox_->replay(since_ns); }
    void reopen();
    [[nodiscard]] DestinationStatus status() const;
    [[nodiscard]] const DestinationSettings& settings() const noexcept { return settings_; }
    // Whether everything that was offered has arrived.
    [[nodiscard]] bool drained() const;
    // A carrier of its own, to try it: connects with what the files hold now.
    [[nodiscard]] Result<std::unique_ptr<Carrier>> another_carrier() const;

  private:
    explicit Destination(const DestinationSettings& settings, const Format& format,
                         Envelope envelope)
        : settings_(settings), renderer_(format, envelope, settings.render) {}
    void run();
    void end();
    void settle(const Delivery& delivery, std::size_t count, std::size_t bytes);
    std::size_t allowed(std::int64_t first_ns);
    void rest(int ms);
    void put(const model::Event& event, std::int64_t now_ns);
    void look_for_carrier();
    void tell(const Status& status);

    DestinationSettings settings_;
    Renderer renderer_;
    AccountMinutes minutes_;
    std::shared_ptr<Outbox> outbox_;
    std::unique_ptr<Carrier> carrier_;
    Changed changed_;
    std::thread thread_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> reopen_{false};
    bool carrier_missing_ = false;  // of the delivery thread, once that runs
    std::int64_t look_at_ms_ = 0;   // for the carrier
    mutable std::mutex mutex_;  // of what follows
    std::condition_variable resting_;
    bool paused_ = false;
    bool up_ = true;
    std::int64_t since_ns_ = 0;
    std::string error_;
    std::uint64_t deliveries_failed_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t delivered_bytes_ = 0;
    std::atomic<std::uint64_t> filtered_{0};
    std::atomic<std::uint64_t> unrenderable_{0};
    Histogram delay_;
    double tokens_ = 0;
    std::int64_t tokens_at_ms_ = 0;
};

// What can be said of settings without connecting and without an outbox.
Status check_destination(const DestinationSettings& settings);
// What to print as its target: never a secret.
std::string target_text(const CarrierSettings& settings);

}  // namespace seine::siem
