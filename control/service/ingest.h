// The one thread that takes in: rings, join, sums; what it makes of them goes to the store in batches.
#pragma once
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "control/account/join.h"
#include "control/dataplane_link/ring_source.h"
#include "control/service/aggregate.h"
#include "control/service/config.h"
#include "control/service/flow_rows.h"
#include "control/service/join_file.h"
#include "control/service/ring_fill.h"
#include "control/service/store_writer.h"
#include "control/store/store.h"

namespace seine::service {

// One ring as `status` shows it.
struct RingStatus {
    std::string path;
    std::string problem;
    bool open = false;
    bool writer_ended = false;
    std::uint16_t dataplane = 0;
    std::uint32_t epoch = 0;
    double fill = 0;
    dataplane_link::RingCounters counters;
    std::uint64_t dropped_ring_full = 0;  // by the dataplane's own count
    std::uint64_t dropped_before_ring = 0;
    std::uint64_t dropped_too_long = 0;
    double records_per_second = 0;
};

struct IngestStatus {
    std::vector<RingStatus> rings;
    AggregateCounters sums;
    FlowRowCounters rows;
    std::uint32_t rows_one_of = 1;
    std::size_t live_rows = 0;
    account::JoinCounters join;
    account::JoinState join_state;
    std::vector<account::GatewayState> gateways;
    std::uint64_t commits = 0;
    std::uint64_t commits_failed = 0;
    std::uint64_t last_commit_us = 0;
    std::string problem;  // of the last commit
};

// What other parts do in this thread, in the order they were added. Each may be empty.
struct IngestPart {
    std::string name;
    // Called every round with the join to hand records to; true when there was something.
    std::function<bool(account::Join& join, Nanos now)> poll;
    std::function<void(const model::Sighting& sighting, Nanos now)> sighting;
    std::function<void(const model::AccountEvent& event, Nanos now)> account_event;
    // A request that somebody keeps (account::SourceRecord::request) has its connection.
    std::function<void(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                       const model::OrgTag& org, Nanos now)>
        request_joined;
    // Each record of a ring, findings included, after it was counted.
    std::function<void(const contract::RecordView& record, ByteView frame, Nanos now)> record;
    // False: holds as much as it may, and rings are not read on until the next batch took it.
    std::function<bool()> has_room;
    // Adds to a batch what must be stored with it (places in logs); and hears that it is.
    std::function<void(store::Batch& batch)> before_commit;
    std::function<void()> after_commit;
};

class Ingest final : private account::JoinSink {
  public:
    Ingest(const Config& config, store::Store& store, std::function<Nanos()> clock);
    ~Ingest() override;
    void add(IngestPart part) { parts_.push_back(std::move(part)); }
    // Takes up where the store says, and starts the thread.
    Status start();
    // Commits what is in hand and ends the thread.
    void stop();
    // Any thread; as of at most half a second ago.
    [[nodiscard]] IngestStatus status() const;
    // Accounts that a connection of lately is known to have. For parts, in this thread.
    [[nodiscard]] std::vector<model::AccountTag> accounts_of(const contract::FlowId& flow) const;

  private:
    static constexpr char kRingRoom[] = "ring";
    static constexpr char kJoinRoom[] = "join";
    Status start_join(account::JoinConfig config);
    void keep_join(store::Batch& batch);
    void run();
    bool read_rings(Nanos now);
    // A record that was read and not yet taken in; borrows from the ring.
    struct Ahead {
        contract::RecordView record;
        ByteView frame;
        bool of_flow = false;
        dataplane_link::FlowFacts facts;
        account::FlowEvent event;
    };
    static constexpr std::size_t kReadAhead = 32;
    std::size_t read_ahead(dataplane_link::RingSource& ring);
    void take_record(const Ahead& ahead, Nanos now);
    void begin_commit(Nanos now);
    void end_commit(StoreWriter::Outcome outcome);
    void publish(Nanos now);
    [[nodiscard]] bool commit_due(Nanos now) const;
    [[nodiscard]] bool has_room() const;
    void expect(std::span<const Coming> coming) override;
    void sighting(const model::Sighting& sighting) override;
    void account_event(const model::AccountEvent& event) override;
    void request_joined(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                        const model::OrgTag& org) override;

    Config config_;
    store::Store& store_;
    std::function<Nanos()> clock_;
    std::vector<IngestPart> parts_;
    std::vector<std::unique_ptr<dataplane_link::RingSource>> rings_;
    RecentFlows recent_;
    Aggregate aggregate_;
    FlowRows rows_;
    std::unique_ptr<account::Join> join_;
    JoinFile join_file_;
    std::string join_saved_;  // what goes into the file
    bool join_file_told_ = false;  // that it cannot be written
    std::array<Ahead, kReadAhead> ahead_;
    Nanos now_;
    Nanos last_event_;  // newest time of a record
    Nanos commit_at_;   // the next one
    bool anything_ = false;  // since the last commit
    StoreWriter writer_;
    std::vector<dataplane_link::RingSource::Mark> marks_;  // of the batch that is being written
    std::unique_ptr<store::Batch> refused_;  // by the store: it is given again
    std::unique_ptr<store::Batch> empty_;    // the room of the one before
    std::atomic<bool> stopping_{false};
    std::thread thread_;

    mutable std::mutex status_mutex_;
    IngestStatus status_;
    Nanos published_;
    std::vector<std::uint64_t> records_before_;
    std::vector<RingFill> fills_;  // as rings_
};

}  // namespace seine::service
