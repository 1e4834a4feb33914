// Rounds: read what the rings have, let the others have their turn, commit when it is time.
#include "control/service/ingest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <poll.h>
#include <random>

#include "control/service/guarded_thread.h"
#include "control/service/live_flows.h"
#include "control/service/log.h"

namespace seine::service {

using contract::Kind;
using dataplane_link::RingSource;

namespace {

constexpr std::size_t kRecordsARound = 8192;
constexpr std::size_t kLiveRowsMax = 100'000;
constexpr std::int64_t kCommitMax = 60 * kSecond;
// Commits take at most this part of the time: each waits four times as long as the last one took.
constexpr std::int64_t kRestAfterCommit = 4;
constexpr int kIdleMs = 10;
// After a round that brought less than this, so that the next finds more: what is asked for ahead pays then.
constexpr std::size_t kSmallRound = 512;
constexpr int kSmallRoundMs = 1;
// Connections and waiting records of the join that are kept in the store with a commit: about 400 bytes each.
constexpr std::uint32_t kJoinKeptEachCommit = 4096;
// In a file beside the ring, which lies in memory as a rule. With more of them those that wait alone, so that every
// line read has its outcome: about 200 bytes each, and as many as the join has room for.
constexpr std::uint32_t kJoinKeptInFile = 250'000;
// Where that file cannot be written.
constexpr std::uint32_t kWaitingKeptInStore = 65'536;
constexpr std::uint32_t kJoinKeptAtEnd = 500'000;

Config with_live_flows(Config config) {
    if (config.live_flows == 0) config.live_flows = live_flows_for(memory_for_us(""));
    return config;
}

std::int64_t steady_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

account::FlowEvent::Kind event_kind(Kind kind) {
    return kind == Kind::open    ? account::FlowEvent::Kind::open
           : kind == Kind::close ? account::FlowEvent::Kind::close
                                 : account::FlowEvent::Kind::update;
}

}  // namespace

Ingest::Ingest(const Config& config, store::Store& store, std::function<Nanos()> clock)
    : config_(with_live_flows(config)),
      store_(store),
      clock_(std::move(clock)),
      sums_(config.flow_rate, config.flow_hours == 0 ? 0 : std::min<std::size_t>(kLiveRowsMax, config_.live_flows), clock_),
      join_file_((config.rings.empty() ? config.state_folder + "/control" : config.rings.front()) + ".join"),
      writer_(store, clock_, [order = Aggregate::Order()](store::Batch& batch) mutable { order(batch); }) {}

Ingest::~Ingest() { stop(); }

Status Ingest::start() {
    account::JoinConfig join;
    join.connections_max = static_cast<std::uint32_t>(config_.live_flows);
    join.told_at_tick = true;
    const Status joined = start_join(join);
    if (!joined.ok()) return joined;
    evicted_before_ = join_->counters().flows_evicted;
    for (const std::string& path : config_.rings) {
        for (const char* end : {"", ".alerts"}) {
            auto ring = std::make_unique<RingSource>(path + end);
            const auto place = store_.kept(kRingRoom, ring->path());
            if (!place) return place.error();
            ring->begin_at(dataplane_link::place_from(*place));
            rings_.push_back(std::move(ring));
        }
    }
    records_before_.resize(rings_.size());
    fills_.resize(rings_.size());
    const auto live = store_.kept_all(FlowRows::kRoom);
    if (!live) return live.error();
    sums_.restore(*live);
    sums_.start();
    round_at_ = steady_ms();
    thread_ = guarded_thread("takes in", [this] { run(); });
    return {};
}

// The join goes on where it stood at the last commit: its seed and its state are kept with what it gave.
Status Ingest::start_join(account::JoinConfig config) {
    const auto seed = store_.kept(kJoinRoom, "seed");
    if (!seed) return seed.error();
    if (seed->empty()) {
        config.hash_seed = std::random_device()() * std::uint64_t{0x9e3779b97f4a7c15u};
        const Status kept = store_.keep({kJoinRoom, "seed", std::to_string(config.hash_seed)});
        if (!kept.ok()) return kept;
    } else {
        config.hash_seed = std::strtoull(seed->c_str(), nullptr, 10);
    }
    auto state = store_.kept(kJoinRoom, "state");
    if (!state) return state.error();
    const auto mark = store_.kept(kJoinRoom, "file");
    if (!mark) return mark.error();
    if (!mark->empty()) state = join_file_.read(*mark);
    for (const bool with_state : {!state->empty(), false}) {
        auto made = account::Join::make(config, *this);
        if (!made) return made.error();
        join_ = std::move(*made);
        if (!with_state || join_->restore(*state)) return {};
        log(Level::warning, "the join's state is of another version; connections that are open now are joined by what "
                            "comes from here on");
    }
    return {};
}

// A small state in the store itself, a larger one in a file beside the ring. With more connections than that
// all that was counted is handed out, and those that wait are kept alone, however many: after a kill an open
// connection is then known again by its next record, and counts as one more flow of its account.
void Ingest::keep_join(store::Batch& batch) {
    const account::JoinState now = join_->state();
    const std::uint32_t count = now.connections + now.pending;
    const bool whole = count <= (stopping_ ? kJoinKeptAtEnd : kJoinKeptInFile);
    if (!whole) join_->tell_news();
    join_saved_.clear();  // its pages stay ours: clearing fresh ones was a twelfth of this thread at 45,000 flows/s
    join_->save(join_saved_, whole);
    std::string state;
    std::string mark;
    if (whole && (stopping_ || count <= kJoinKeptEachCommit)) {
        state = join_saved_;
    } else if (const auto written = join_file_.write(join_saved_); written.has_value()) {
        mark = *written;
    } else {
        if (!std::exchange(join_file_told_, true))
            log(Level::warning, written.error().message() + "; connections that are open at a kill are not known after it");
        if (whole) join_->tell_news();
        if (now.pending <= kWaitingKeptInStore) join_->save(state, false);
    }
    batch.documents.push_back({kJoinRoom, "state", std::move(state)});
    batch.documents.push_back({kJoinRoom, "file", std::move(mark)});
}

void Ingest::stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Ingest::sighting(const model::Sighting& sighting) {
    anything_ = true;
    sums_.sighting(sighting, now_);
}

void Ingest::account_event(const model::AccountEvent& event) {
    anything_ = true;
    sums_.account_event(event, now_);
}

void Ingest::request_joined(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                            const model::OrgTag& org) {
    for (const IngestPart& part : parts_) {
        if (part.request_joined) part.request_joined(request, flow, account, org, now_);
    }
}

// What a ring has next, read before any of it is taken in, so that the memory for all of it can be
// asked for.
std::size_t Ingest::read_ahead(RingSource& ring, Nanos now) {
    sums_.reads(now);
    std::size_t count = 0;
    std::size_t event_count = 0;
    while (count < kReadAhead && ring.next(sums_.next().record)) {
        ReadRecord& read = sums_.next();
        sums_.read();
        ahead_[count++] = &read;
        read.frame = ring.frame();
        read.of_flow = dataplane_link::read_facts(read.record, read.facts);
        if (!read.of_flow) continue;
        account::FlowEvent& event = events_[event_count++];
        event.kind = event_kind(read.record.kind);
        event.flow = &read.facts.flow;
        event.carrier = read.facts.carrier;
        event.carrier_port = read.facts.carrier_port;
        event.unique_id = read.facts.unique_id;
    }
    join_->expect({events_.data(), event_count});
    return count;
}

void Ingest::take_record(const ReadRecord& read, const account::FlowEvent* event, Nanos now) {
    anything_ = true;
    sums_.take();
    if (event != nullptr) {
        last_event_ = std::max(last_event_, read.facts.flow.t_close);
        join_->flow(*event, now);
    }
    for (const IngestPart& part : parts_) {
        if (part.record && !part.behind) part.record(read.record, read.frame, now);
    }
    sums_.done();
}

std::size_t Ingest::read_rings(Nanos now) {
    std::size_t all = 0;
    // What one ring brings may leave no room for the others: then it is their turn first.
    for (std::size_t turn = 0, first = std::exchange(first_ring_, 0); turn < rings_.size(); ++turn) {
        const std::size_t at = (first + turn) % rings_.size();
        RingSource& ring = *rings_[at];
        if (!has_room()) {
            first_ring_ = at;
            break;
        }
        std::size_t count = 0;
        for (std::size_t got = kReadAhead; got == kReadAhead && count < kRecordsARound; count += got) {
            got = read_ahead(ring, now);
            const account::FlowEvent* event = events_.data();
            for (std::size_t i = 0; i < got; ++i) take_record(*ahead_[i], ahead_[i]->of_flow ? event++ : nullptr, now);
        }
        all += count;
        if (!ring.is_open()) continue;
        const std::uint64_t lost = ring.take_lost();
        if (lost > 0) sums_.lost(ring.reader()->dataplane_id(), lost, now);
        anything_ = anything_ || lost > 0 || (writer_.idle() && ring.owes());
        if (count < kRecordsARound && tells_flows(at)) join_->flows_complete(ring.reader()->dataplane_id(), last_event_, now);
    }
    return all;
}

bool Ingest::has_room() const {
    return std::all_of(parts_.begin(), parts_.end(), [](const IngestPart& part) { return !part.has_room || part.has_room(); });
}

// One batch at a time: while it is written, what comes is added up for the next one.
bool Ingest::commit_due(Nanos now) const {
    if (!writer_.idle()) return false;
    if (refused_ != nullptr) return now >= commit_at_;
    const auto owes = [](const IngestPart& part) { return part.owes && part.owes(); };
    if (!anything_ && std::none_of(parts_.begin(), parts_.end(), owes)) return false;
    if (now >= commit_at_ || !has_room()) return true;
    for (std::size_t i = 0; i < rings_.size(); ++i) {
        if (fills_[i].presses(rings_[i]->fill(), now)) return true;
    }
    return false;
}

void Ingest::begin_commit(Nanos now) {
    auto batch = std::move(refused_);
    if (batch == nullptr) {
        batch = std::move(empty_);
        if (batch == nullptr) batch = std::make_unique<store::Batch>();
        keep_join(*batch);  // first: it may hand out more
        sums_.rest();
        sums_.take(*batch);
        marks_.clear();
        for (std::size_t i = 0; i < rings_.size(); ++i) {
            const auto& ring = rings_[i];
            fills_[i].batch_made(ring->fill());
            marks_.push_back(ring->mark());
            if (ring->is_open())
                batch->documents.push_back({kRingRoom, ring->path(), dataplane_link::to_text(ring->place())});
        }
        for (const IngestPart& part : parts_) {
            if (part.before_commit) part.before_commit(*batch);
        }
        anything_ = false;
    }
    batch->at = now;
    writer_.give(std::move(batch));
}

void Ingest::end_commit(StoreWriter::Outcome outcome) {
    const Status& status = outcome.status;
    const std::int64_t rest = std::clamp(outcome.took * kRestAfterCommit,
                                         static_cast<std::int64_t>(config_.commit_ms) * kMillisecond, kCommitMax);
    commit_at_ = clock_() + rest;
    {
        const std::lock_guard lock(status_mutex_);
        (status.ok() ? status_.commits : status_.commits_failed) += 1;
        status_.last_commit_us = static_cast<std::uint64_t>(outcome.took / kMicrosecond);
        if (status_.problem != status.message()) {
            log(status.ok() ? Level::info : Level::error,
                status.ok() ? "the store takes what is seen again" : status.message());
            status_.problem = status.message();
        }
    }
    if (!status.ok()) {
        refused_ = std::move(outcome.batch);
        return;
    }
    empty_ = std::move(outcome.empty);
    sums_.reuse(std::move(outcome.lists));
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        rings_[i]->stored(marks_[i]);
        fills_[i].batch_stored(rings_[i]->fill(), outcome.took, clock_());
    }
    for (const IngestPart& part : parts_) {
        if (part.after_commit) part.after_commit();
    }
}

void Ingest::publish(Nanos now) {
    const std::int64_t since = now - published_;
    if (since < kSecond / 2) return;
    const std::lock_guard lock(status_mutex_);
    status_.rings.resize(rings_.size());
    for (std::size_t i = 0; i < rings_.size(); ++i) {
        const RingSource& ring = *rings_[i];
        RingStatus& out = status_.rings[i];
        out.path = ring.path();
        out.problem = ring.problem();
        out.open = ring.is_open();
        out.counters = ring.counters();
        out.fill = ring.fill();
        out.records_per_second = static_cast<double>(out.counters.records - records_before_[i]) * 1e9 /
                                 static_cast<double>(std::max<std::int64_t>(since, 1));
        records_before_[i] = out.counters.records;
        if (!out.open) continue;
        out.writer_ended = ring.reader()->closed();
        out.dataplane = ring.reader()->dataplane_id();
        out.epoch = ring.reader()->epoch();
        const auto sum = [&ring](exporting::RingCounter counter) {
            std::uint64_t value = 0;
            for (unsigned worker = 0; worker < exporting::kRingWorkersMax; ++worker)
                value += ring.reader()->counter(worker, counter);
            return value;
        };
        out.dropped_ring_full = sum(exporting::RingCounter::dropped_ring_full);
        out.dropped_before_ring = sum(exporting::RingCounter::dropped_before_ring);
        out.dropped_too_long = sum(exporting::RingCounter::dropped_too_long);
    }
    const SumsStatus sums = sums_.status();
    status_.sums = sums.sums;
    status_.rows = sums.rows;
    status_.rows_one_of = sums.rows_one_of;
    status_.live_rows = sums.live_rows;
    status_.join = join_->counters();
    status_.live_flows = config_.live_flows;
    status_.flows_evicted_here = status_.join.flows_evicted - evicted_before_;
    status_.join_state = join_->state();
    status_.gateways.clear();
    join_->gateways([this](const account::GatewayState& gateway) { status_.gateways.push_back(gateway); });
    published_ = now;
}

void Ingest::run() {
    writer_.start();
    while (!stopping_) {
        now_ = clock_();
        round_at_.store(steady_ms(), std::memory_order_relaxed);
        if (auto outcome = writer_.outcome()) end_commit(std::move(*outcome));
        // A batch that the store refused holds everything up: the ring keeps what comes, and
        // counts what it cannot.
        std::size_t records = 0;
        bool any = false;
        if (refused_ == nullptr) {
            records = read_rings(now_);
            any = records > 0;
            for (const IngestPart& part : parts_) any = (part.poll && part.poll(*join_, now_)) || any;
            join_->tick(now_);
        }
        sums_.give(now_, !any);
        if (commit_due(now_)) begin_commit(now_);
        publish(now_);
        if (records < kSmallRound) static_cast<void>(::poll(nullptr, 0, any ? kSmallRoundMs : kIdleMs));
    }
    end();
    writer_.stop();
    sums_.stop();
    published_ = {};
    publish(now_);
}

// What the store refused is offered once more; then what is still here is taken in and stored.
void Ingest::end() {
    now_ = clock_();
    if (auto outcome = writer_.wait()) end_commit(std::move(*outcome));
    const auto commit_whole = [this] {
        begin_commit(now_);
        if (auto outcome = writer_.wait()) end_commit(std::move(*outcome));
    };
    if (refused_ != nullptr) commit_whole();
    if (refused_ == nullptr) {
        for (const IngestPart& part : parts_) {
            if (part.finish) part.finish(*join_, now_);
        }
        join_->tick(now_);
        // What waits goes on waiting after the next start, unless there is too much of it to be kept.
        const account::JoinState left = join_->state();
        if (left.connections + left.pending > kJoinKeptAtEnd) join_->finish();
        commit_whole();
    }
    if (refused_ == nullptr) return;
    log(Level::error, "the store takes nothing, to the end; what rings and logs hold is read again at the next start");
    for (const IngestPart& part : parts_) {
        if (part.unstored) part.unstored();
    }
}

IngestStatus Ingest::status() const {
    const std::lock_guard lock(status_mutex_);
    return status_;
}

std::int64_t Ingest::still_for_ms() const noexcept { return steady_ms() - round_at_.load(std::memory_order_relaxed); }

}  // namespace seine::service
