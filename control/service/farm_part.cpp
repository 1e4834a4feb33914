// The queue, ticks and sweeps, and the file that carries detection over a restart.
#include "control/service/farm_part.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "control/service/account_evidence.h"
#include "control/service/guarded_thread.h"
#include "control/service/log.h"

namespace seine::service {
namespace {

constexpr std::int64_t kFirstSweep = 20 * kSecond;
constexpr std::int64_t kThinkEvery = kSecond;
// Parcels are taken sooner: few of them are on their way then, and their memory is in the caches.
constexpr std::chrono::milliseconds kTakeEvery{100}, kLookEvery{1000};
// Accounts, members or entries that one step of a sweep, of saving or of telling looks at.
constexpr std::uint32_t kStep = 64;

}  // namespace

Result<std::unique_ptr<FarmPart>> FarmPart::make(const Config& config, const store::Store& store, Findings& findings,
                                                 std::function<Nanos()> clock, DetectionSections& sections,
                                                 std::function<void()> before_thinking) {
    detect::Options options;
    options.accounts_max = static_cast<std::uint32_t>(config.detect_accounts);
    options.threads = static_cast<unsigned>(config.detect_threads);
    options.budget = static_cast<double>(config.detect_budget);
    auto engine = detect::Engine::make(options);
    if (!engine) return engine.error();
    detect::PrefixTable prefixes;
    if (!config.detect_prefixes.empty()) {
        const Status status = prefixes.load(config.detect_prefixes);
        if (!status.ok()) return status;
    }
    std::unique_ptr<FarmPart> part(new FarmPart(findings, std::move(clock), sections));
    part->state_path_ = config.state_folder + "/detect.state";
    part->sweep_every_ = static_cast<std::int64_t>(config.detect_sweep_seconds) * kSecond;
    part->engine_ = std::move(*engine);
    std::ifstream saved(part->state_path_, std::ios::binary);
    if (saved) {
        const Status status = part->engine_->load(saved);
        // What detection learned is evidence, not a record: without it, it begins anew and says so.
        if (!status.ok()) {
            const std::string aside = part->state_path_ + ".damaged";
            static_cast<void>(std::rename(part->state_path_.c_str(), aside.c_str()));
            part->status_.problem = part->state_path_ + ": " + status.message() + "; moved to " + aside + ", detection begins anew";
            log(Level::error, part->status_.problem);
        }
    }
    part->engine_->set_prefixes(std::move(prefixes));
    part->engine_->set_names([&store](std::uint64_t id) {
        const auto text = store.text(id);
        return text ? *text : std::string();
    });
    part->before_thinking_ = std::move(before_thinking);
    part->publish();
    part->next_sweep_ = part->clock_() + std::min(kFirstSweep, part->sweep_every_);
    sections.bind(part.get());
    part->takes_in_ = guarded_thread("takes connections in for detection", [raw = part.get()] { raw->take_in(); });
    part->looks_ = guarded_thread("looks for farms", [raw = part.get()] { raw->look_for_farms(); });
    return part;
}

FarmPart::~FarmPart() {
    sections_.bind(nullptr);
    hand_over();  // of the last round; the thread that adds up has ended
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (looks_.joinable()) looks_.join();
}

void FarmPart::hand_over() {
    if (fresh_.count == 0) return;
    const std::lock_guard lock(mutex_);
    if (queued_ + fresh_.count > kQueueMax) {
        status_.shed += fresh_.count;
        fresh_.count = 0;
        return;
    }
    queued_ += fresh_.count;
    queue_.push_back(std::move(fresh_));
    fresh_ = {};
    if (spare_.empty()) return;
    fresh_ = std::move(spare_.back());
    spare_.pop_back();
}

IngestPart FarmPart::part() {
    IngestPart part;
    part.name = "farms";
    part.behind = true;
    part.sighting = [this](const model::Sighting& sighting, Nanos) { add(sighting); };
    part.account_event = [this](const model::AccountEvent& event, Nanos) { add(event); };
    part.after_while = [this](Nanos now) {
        if (now - handed_over_ < kParcelWait) return;
        handed_over_ = now;
        hand_over();
    };
    return part;
}

void FarmPart::take(const Parcel& parcel) {
    const std::lock_guard lock(engine_mutex_);
    for (std::size_t i = 0; i < parcel.count; ++i) {
        const Item& item = parcel.items[i];
        if (const auto* sighting = std::get_if<model::Sighting>(&item)) engine_->take(*sighting);
        else engine_->take(std::get<model::AccountEvent>(item));
    }
}

// Connections into the engine, and newcomers to known farms; never a sweep.
void FarmPart::take_in() {
    std::vector<Parcel> parcels;
    Nanos ticked;
    bool ending = false;
    while (!ending) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, kTakeEvery, [this] { return stopping_; });
            ending = stopping_;
            for (Parcel& parcel : parcels) {
                status_.taken += parcel.count;
                if (spare_.size() >= kSpareMax) continue;
                parcel.count = 0;
                spare_.push_back(std::move(parcel));
            }
            parcels.clear();
            parcels.swap(queue_);
            queued_ = 0;
        }
        for (const Parcel& parcel : parcels) take(parcel);
        const Nanos now = clock_();
        if (!ending && now - ticked < kThinkEvery) continue;
        ticked = now;
        std::shared_lock settled(in_force_, std::defer_lock);
        if (ending) settled.lock();
        else if (!settled.try_lock()) continue;  // a sweep is being put in force: a moment later, then
        const std::lock_guard lock(engine_mutex_);
        engine_->tick(now);
    }
}

class FarmPart::Step {
  public:
    explicit Step(FarmPart& part) : part_(part), lock_(part.engine_mutex_), begun_(std::chrono::steady_clock::now()) {}
    ~Step() {
        const auto held = std::chrono::steady_clock::now() - begun_;
        const auto us = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(held).count());
        // Only who holds the lock writes it.
        if (us > part_.pause_us_longest_.load()) part_.pause_us_longest_.store(us);
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

  private:
    FarmPart& part_;
    std::lock_guard<FairMutex> lock_;
    std::chrono::steady_clock::time_point begun_;
};

void FarmPart::sweep(Nanos now) {
    {
        const std::lock_guard lock(mutex_);
        status_.sweeping = true;
    }
    {
        const Step step(*this);
        engine_->begin_sweep(now);
    }
    for (bool frozen = false; !frozen;) {
        if (wait({})) return;  // what was frozen is given up
        const Step step(*this);
        frozen = engine_->gather(kStep);
    }
    if (before_thinking_) before_thinking_();
    engine_->think();
    put_in_force();
    const std::lock_guard lock(mutex_);
    status_.sweeping = false;
    status_.last_sweep = now;
    status_.last_sweep_ms = static_cast<std::uint64_t>((clock_() - now) / kMillisecond);
}

void FarmPart::put_in_force() {
    std::shared_ptr<const void> before;  // goes without any lock
    const std::unique_lock alone(in_force_);
    std::optional<Step> step(std::in_place, *this);
    before = engine_->finish_sweep([&] {
        step.reset();
        step.emplace(*this);
    });
}

// What others see of the farms, copied when it has changed.
void FarmPart::publish() {
    const std::lock_guard one_at_a_time(publish_mutex_);
    const std::shared_lock settled(in_force_);
    detect::FarmList list;
    bool changed = false;
    detect::Counters counters;
    {
        const Step step(*this);
        counters = engine_->counters();
        changed = farms_ == nullptr || engine_->farms_version() != published_;
    }
    for (bool whole = !changed; !whole;) {
        const Step step(*this);
        whole = engine_->farms_step(kStep, list);
        published_ = engine_->farms_version();
    }
    FarmsView fresh;
    if (changed) fresh = std::make_shared<const std::vector<model::Farm>>(list.take());
    {
        const std::lock_guard lock(mutex_);
        status_.counters = counters;
        if (!changed) return;
        farms_.swap(fresh);  // what was there goes without the lock
        status_.farms = farms_->size();
        status_.provisional = 0;
        status_.accounts_in_farms = 0;
        for (const model::Farm& farm : *farms_) {
            status_.provisional += farm.provisional ? 1 : 0;
            if (farm.parent == 0) status_.accounts_in_farms += farm.accounts;
        }
    }
}

// What happened to farms since the last call, to the store and on, and why of their accounts.
void FarmPart::tell(Nanos now) {
    std::vector<model::Event> events;
    {
        const Step step(*this);
        events = engine_->events();
    }
    if (events.empty()) return;
    const FarmsView known = farms();
    const auto why_of = [this](const model::AccountTag& account) {
        const Step step(*this);
        return engine_->why(account);
    };
    std::vector<model::Event> accounts;
    std::uint64_t left_out = 0;
    for (const model::Event& event : events) {
        for (model::Event& one : account_evidence(*known, event, why_of, kAccountsToldMax - accounts.size(), left_out))
            accounts.push_back(std::move(one));
    }
    for (model::Event& event : events) {
        if (event.seen.count == 0) event.seen = now;
        findings_.found(event);
    }
    // Not kept: `account why` says it at any time.
    for (const model::Event& event : accounts) findings_.publish(event);
    const std::lock_guard lock(mutex_);
    status_.accounts_told += accounts.size();
    status_.accounts_not_told += left_out;
}

Status FarmPart::write_state(const std::string& path) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    {
        const Step step(*this);
        engine_->begin_save();
    }
    std::string piece;
    // To the last step on a full disk too: until then the engine lets wait what it is writing.
    for (bool whole = false; !whole; piece.clear()) {
        {
            const Step step(*this);
            whole = engine_->save_step(kStep, piece);
        }
        out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    }
    return out.flush() ? Status{} : failed(path + ": cannot be written; look at the disk");
}

void FarmPart::save(Nanos now) {
    const std::lock_guard one_at_a_time(save_mutex_);
    const std::shared_lock settled(in_force_);
    const std::string fresh = state_path_ + ".new";
    Status status = write_state(fresh);
    if (status.ok() && std::rename(fresh.c_str(), state_path_.c_str()) != 0)
        status = failed(state_path_ + ": cannot be replaced; look at the folder's permissions");
    if (!status.ok()) log(Level::error, status.message());
    const std::lock_guard lock(mutex_);
    status_.problem = status.message();
    if (status.ok()) status_.last_saved = now;
}

bool FarmPart::wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, most, [this] { return stopping_; });
}

void FarmPart::look_for_farms() {
    while (!wait(kLookEvery)) {
        const Nanos now = clock_();
        const bool due = now >= next_sweep_;
        if (due) sweep(now);
        publish();
        tell(now);
        if (!due) continue;
        next_sweep_ = clock_() + sweep_every_;
        save(now);
    }
    takes_in_.join();  // what it had in hand is saved as well
    const Nanos now = clock_();
    publish();
    tell(now);
    save(now);
}

FarmPart::FarmsView FarmPart::farms() const {
    const std::lock_guard lock(mutex_);
    return farms_;
}

detect::Explanation FarmPart::why(const model::AccountTag& account) const {
    const std::shared_lock settled(in_force_);
    const std::lock_guard lock(engine_mutex_);
    return engine_->why(account);
}

// The engine has taken an analyst's word: the list follows at once, and a kill does not lose it.
Status FarmPart::decided(Status status, Nanos now) {
    if (!status.ok()) return status;
    publish();
    save(now);
    return {};
}

Status FarmPart::confirm(std::uint64_t farm, const std::string& reason) {
    const Nanos now = clock_();
    std::shared_lock settled(in_force_);
    std::unique_lock<FairMutex> lock(engine_mutex_);
    Status status = engine_->confirm(farm, now, reason);
    lock.unlock();
    settled.unlock();
    return decided(std::move(status), now);
}

Status FarmPart::dismiss(std::uint64_t farm, const std::string& reason) {
    const Nanos now = clock_();
    std::shared_lock settled(in_force_);
    std::unique_lock<FairMutex> lock(engine_mutex_);
    Status status = engine_->dismiss(farm, now, reason);
    lock.unlock();
    settled.unlock();
    return decided(std::move(status), now);
}

Status FarmPart::merge(std::uint64_t into, std::uint64_t from) {
    const Nanos now = clock_();
    std::shared_lock settled(in_force_);
    std::unique_lock<FairMutex> lock(engine_mutex_);
    Status status = engine_->merge(into, from, now);
    lock.unlock();
    settled.unlock();
    return decided(std::move(status), now);
}

Result<std::uint64_t> FarmPart::split(std::uint64_t farm, const std::vector<model::AccountTag>& accounts,
                                      const std::string& reason) {
    const Nanos now = clock_();
    std::shared_lock settled(in_force_);
    std::unique_lock<FairMutex> lock(engine_mutex_);
    auto fresh = engine_->split(farm, accounts, now, reason);
    lock.unlock();
    settled.unlock();
    if (!fresh) return fresh.error();
    if (Status status = decided({}, now); !status.ok()) return status;
    return *fresh;
}

void FarmPart::set_policy(double budget, std::uint32_t orgs_min) {
    const std::shared_lock settled(in_force_);
    const std::lock_guard lock(engine_mutex_);
    engine_->set_policy(budget, orgs_min);
}

Status FarmPart::set_rules(std::vector<detect::FeedbackRule> rules) {
    const std::shared_lock settled(in_force_);
    const std::lock_guard lock(engine_mutex_);
    return engine_->set_rules(std::move(rules), clock_());
}

std::vector<detect::FeedbackRule> FarmPart::rules() const {
    const std::shared_lock settled(in_force_);
    const std::lock_guard lock(engine_mutex_);
    return engine_->rules();
}

std::vector<detect::MemberView> FarmPart::members(std::uint64_t farm) const {
    const std::shared_lock settled(in_force_);
    const std::lock_guard lock(engine_mutex_);
    return engine_->members(farm);
}

FarmStatus FarmPart::status() const {
    const std::lock_guard lock(mutex_);
    FarmStatus out = status_;
    out.queued = queued_;
    out.pause_us_longest = pause_us_longest_.load();
    return out;
}

}  // namespace seine::service
