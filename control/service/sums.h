// Adding up, in a thread of its own: what the ingest thread read and joined, in the order in which it did.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "control/dataplane_link/flow_facts.h"
#include "control/model/sighting.h"
#include "control/service/aggregate.h"
#include "control/service/flow_rows.h"
#include "control/service/ingest_part.h"
#include "control/service/recent_flows.h"

namespace seine::service {

// A record of a ring and what it says. Borrows from the ring until what was read is stored.
struct ReadRecord {
    contract::RecordView record;
    ByteView frame;
    bool of_flow = false;
    dataplane_link::FlowFacts facts;
};

struct SumsStatus {
    AggregateCounters sums;
    FlowRowCounters rows;
    std::uint32_t rows_one_of = 1;
    std::size_t live_rows = 0;
};

// Two threads: that of the ingest gives, in parcels of a bounded number, and its own adds up. Where that
// one is behind, giving waits, and the rings keep what comes.
class Sums {
  public:
    static constexpr std::size_t kReadsAtOnce = 32;

    Sums(std::uint64_t flow_rate, std::size_t live_rows_max, std::function<Nanos()> clock);
    ~Sums();
    Sums(const Sums&) = delete;
    Sums& operator=(const Sums&) = delete;

    // Before start().
    void add(const IngestPart& part) { parts_.push_back(part); }
    void restore(const std::vector<store::Document>& documents) { rows_.restore(documents); }
    void start();
    // What was given is added up first.
    void stop();

    // The ingest thread. `now` is the time of taking in; a parcel has that of what came first into it.
    // Room for at most kReadsAtOnce records, to be read into next() and then taken one by one, in
    // order, before reads() is called again.
    void reads(Nanos now);
    ReadRecord& next() noexcept { return fresh_->reads[fresh_->read_count]; }
    void read() noexcept { ++fresh_->read_count; }
    // The record is added up from here on; what it gives rise to comes behind it, and then done().
    void take() { fresh_->order.push_back(What::record); }
    void done() { fresh_->order.push_back(What::done), ++taken_; }
    void sighting(const model::Sighting& sighting, Nanos now);
    void account_event(const model::AccountEvent& event, Nanos now);
    void lost(std::uint16_t dataplane, std::uint64_t records, Nanos now);
    // Hands over what is here if it has waited for a moment, or `at_once`.
    void give(Nanos now, bool at_once);
    // Waits until all of it is added up: what follows is safe until the next is given.
    void rest();
    // For a batch to come; reused with the next one that is made.
    void reuse(std::vector<std::vector<store::AccountValueRow>> lists) { spare_lists_ = std::move(lists); }
    // At rest: everything since the last one.
    void take(store::Batch& out) {
        aggregate_.take(out);
        rows_.take(out);
        aggregate_.reuse(std::exchange(spare_lists_, {}));
    }

    // Any thread.
    [[nodiscard]] SumsStatus status() const;
    // Its own thread: accounts that a connection of lately is known to have.
    [[nodiscard]] std::vector<model::AccountTag> accounts_of(const contract::FlowId& flow) const;

  private:
    enum class What : std::uint8_t { record, done, sighting, event, lost };
    // Its lists are as long as they were ever needed; how much of them is used stands beside them.
    struct Parcel {
        Nanos now;
        std::vector<What> order;
        std::vector<ReadRecord> reads;
        std::size_t read_count = 0;
        std::vector<model::Sighting> sightings;
        std::size_t sighting_count = 0;
        std::vector<model::AccountEvent> events;
        std::vector<std::pair<std::uint16_t, std::uint64_t>> losses;
        void clear() noexcept;
    };
    static constexpr std::size_t kParcelReads = 480;
    static constexpr std::size_t kParcelSightings = 480;
    static constexpr std::size_t kParcelsMax = 12;
    static constexpr std::size_t kRecentFlows = 262'144;
    static std::unique_ptr<Parcel> make_parcel();
    void come(Nanos now);
    void hand_over();
    void run();
    void add_up(Parcel& parcel);
    // Places in the lists of a parcel.
    struct Place {
        std::size_t order = 0;
        std::size_t read = 0;
        std::size_t sighting = 0;
        std::size_t event = 0;
        std::size_t loss = 0;
    };
    void expect(const Parcel& parcel, Place from) const noexcept;
    void add_one(Parcel& parcel, Place& at);
    void add_sighting(const model::Sighting& sighting, Nanos now);

    std::function<Nanos()> clock_;
    std::vector<IngestPart> parts_;
    // Of its own thread, and of the ingest's at rest.
    RecentFlows recent_;
    Aggregate aggregate_;
    FlowRows rows_;

    std::unique_ptr<Parcel> fresh_;  // of the ingest thread
    std::size_t taken_ = 0;          // records of it that are done
    std::vector<std::vector<store::AccountValueRow>> spare_lists_;

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable come_;
    std::condition_variable gone_;
    std::deque<std::unique_ptr<Parcel>> given_;
    std::vector<std::unique_ptr<Parcel>> spare_;
    bool busy_ = false;  // a parcel is being added up
    bool stopping_ = false;
    SumsStatus status_;
    std::thread thread_;
};

}  // namespace seine::service
