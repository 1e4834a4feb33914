// Parcels, and what is in them one by one.
#include "control/service/sums.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "control/service/guarded_thread.h"

namespace seine::service {

using contract::Kind;

namespace {

constexpr std::int64_t kGiveAfter = 2 * kMillisecond;
constexpr std::chrono::milliseconds kWhile{50};
// Looked at together, so that the memory for all of them is asked for before the first needs it.
constexpr std::size_t kTogether = 32;

}  // namespace

void Sums::Parcel::clear() noexcept {
    order.clear();
    read_count = 0;
    sighting_count = 0;
    events.clear();
    losses.clear();
}

Sums::Sums(std::uint64_t flow_rate, std::size_t live_rows_max, std::function<Nanos()> clock)
    : clock_(std::move(clock)),
      recent_(kRecentFlows),
      aggregate_(recent_),
      rows_(flow_rate, live_rows_max),
      fresh_(make_parcel()) {}

Sums::~Sums() { stop(); }

std::unique_ptr<Sums::Parcel> Sums::make_parcel() {
    auto parcel = std::make_unique<Parcel>();
    parcel->reads.resize(kParcelReads + kReadsAtOnce);
    parcel->order.reserve(2 * parcel->reads.size() + 2 * kParcelSightings);
    return parcel;
}

void Sums::start() {
    thread_ = guarded_thread("adds up", [this] { run(); });
}

void Sums::stop() {
    if (!thread_.joinable()) return;
    rest();
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    come_.notify_all();
    thread_.join();
}

void Sums::reads(Nanos now) {
    if (fresh_->read_count >= kParcelReads) hand_over();
    come(now);
}

// What comes into an empty parcel gives it its time.
void Sums::come(Nanos now) {
    if (fresh_->order.empty() && fresh_->read_count == 0) fresh_->now = now;
}

void Sums::sighting(const model::Sighting& sighting, Nanos now) {
    // Records that were read and not taken yet stay with those before them.
    if (fresh_->sighting_count >= kParcelSightings && taken_ == fresh_->read_count) hand_over();
    come(now);
    if (fresh_->sighting_count == fresh_->sightings.size()) fresh_->sightings.emplace_back(sighting);
    else fresh_->sightings[fresh_->sighting_count] = sighting;
    ++fresh_->sighting_count;
    fresh_->order.push_back(What::sighting);
}

void Sums::account_event(const model::AccountEvent& event, Nanos now) {
    if (fresh_->events.size() >= kParcelSightings && taken_ == fresh_->read_count) hand_over();
    come(now);
    fresh_->events.push_back(event);
    fresh_->order.push_back(What::event);
}

void Sums::lost(std::uint16_t dataplane, std::uint64_t records, Nanos now) {
    come(now);
    fresh_->losses.emplace_back(dataplane, records);
    fresh_->order.push_back(What::lost);
}

void Sums::give(Nanos now, bool at_once) {
    if (!fresh_->order.empty() && (at_once || now - fresh_->now >= kGiveAfter)) hand_over();
}

void Sums::hand_over() {
    {
        std::unique_lock lock(mutex_);
        gone_.wait(lock, [this] { return given_.size() < kParcelsMax; });
        given_.push_back(std::move(fresh_));
        if (!spare_.empty()) {
            fresh_ = std::move(spare_.back());
            spare_.pop_back();
        }
    }
    come_.notify_one();
    if (fresh_ == nullptr) fresh_ = make_parcel();
    taken_ = 0;
}

void Sums::rest() {
    if (!fresh_->order.empty()) hand_over();
    std::unique_lock lock(mutex_);
    gone_.wait(lock, [this] { return given_.empty() && !busy_; });
}

void Sums::run() {
    std::unique_ptr<Parcel> parcel;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            if (parcel != nullptr) {
                status_ = {aggregate_.counters(), rows_.counters(), rows_.one_of(), rows_.live()};
                parcel->clear();
                spare_.push_back(std::move(parcel));
                busy_ = false;
                gone_.notify_all();
            }
            come_.wait_for(lock, kWhile, [this] { return stopping_ || !given_.empty(); });
            if (!given_.empty()) {
                parcel = std::move(given_.front());
                given_.pop_front();
                busy_ = true;
                gone_.notify_all();
            } else if (stopping_) {
                return;
            }
        }
        if (parcel != nullptr) add_up(*parcel);
        for (const IngestPart& part : parts_) {
            if (part.after_while) part.after_while(clock_());
        }
    }
}

void Sums::add_up(Parcel& parcel) {
    Place at;
    while (at.order < parcel.order.size()) {
        expect(parcel, at);
        const std::size_t end = std::min(parcel.order.size(), at.order + kTogether);
        while (at.order < end) add_one(parcel, at);
    }
}

// No effect but time.
void Sums::expect(const Parcel& parcel, Place from) const noexcept {
    std::array<account::JoinSink::Coming, kTogether> coming;
    std::size_t sightings = 0;
    std::size_t opened = 0;
    std::size_t read_end = from.read;
    const std::size_t end = std::min(parcel.order.size(), from.order + kTogether);
    for (std::size_t i = from.order; i < end; ++i) {
        if (parcel.order[i] == What::record) {
            const ReadRecord& read = parcel.reads[read_end++];
            if (!read.of_flow) continue;
            recent_.fetch_head(read.record.flow);
            opened += read.record.kind == Kind::open ? 1 : 0;
        } else if (parcel.order[i] == What::sighting) {
            const model::Sighting& sighting = parcel.sightings[from.sighting++];
            if (!sighting.uses.empty()) coming[sightings++] = {sighting.flow.id, sighting.uses.front().account};
        }
    }
    recent_.fetch_oldest(opened);
    for (std::size_t i = from.read; i < read_end; ++i) recent_.fetch_first(parcel.reads[i].record.flow);
    aggregate_.expect({coming.data(), sightings});
}

void Sums::add_one(Parcel& parcel, Place& at) {
    const Nanos now = parcel.now;
    switch (parcel.order[at.order++]) {
        case What::record: {
            const ReadRecord& read = parcel.reads[at.read];
            if (!read.of_flow) break;
            aggregate_.record(read.record, read.facts, now);
            rows_.record(read.record, read.frame, recent_, now);
            break;
        }
        case What::done: {
            const ReadRecord& read = parcel.reads[at.read++];
            for (const IngestPart& part : parts_) {
                if (part.record) part.record(read.record, read.frame, now);
            }
            break;
        }
        case What::sighting:
            add_sighting(parcel.sightings[at.sighting++], now);
            break;
        case What::event: {
            const model::AccountEvent& event = parcel.events[at.event++];
            aggregate_.account_event(event);
            for (const IngestPart& part : parts_) {
                if (part.account_event) part.account_event(event, now);
            }
            break;
        }
        case What::lost: {
            const auto& [dataplane, records] = parcel.losses[at.loss++];
            aggregate_.lost(dataplane, records, now);
            break;
        }
    }
}

void Sums::add_sighting(const model::Sighting& sighting, Nanos now) {
    const contract::FlowId& id = sighting.flow.id;
    const Aggregate::Found found = aggregate_.sighting(sighting, now);
    // Of a flow that was open before a restart nothing is here but its row.
    const bool has_row = found.flow ? found.row_kept && found.new_account : rows_.is_live(id);
    if (has_row) {
        std::vector<model::AccountTag> accounts;
        for (const model::AccountUse& use : sighting.uses) accounts.push_back(use.account);
        rows_.accounts(id, accounts);
    }
    for (const IngestPart& part : parts_) {
        if (part.sighting) part.sighting(sighting, now);
    }
}

std::vector<model::AccountTag> Sums::accounts_of(const contract::FlowId& flow) const {
    const RecentFlows::Entry* entry = recent_.find(flow);
    return entry == nullptr ? std::vector<model::AccountTag>() : entry->accounts;
}

SumsStatus Sums::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

}  // namespace seine::service
