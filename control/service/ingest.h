// The thread that takes in: rings and join; what comes of them is added up behind it, and goes to the store in batches.
#pragma once
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/account/join.h"
#include "control/dataplane_link/ring_source.h"
#include "control/service/config.h"
#include "control/service/ingest_part.h"
#include "control/service/join_file.h"
#include "control/service/ring_fill.h"
#include "control/service/store_writer.h"
#include "control/service/sums.h"
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
    std::uint64_t live_flows = 0;          // connections that there is room for
    std::uint64_t flows_evicted_here = 0;  // since this process began
    std::vector<account::GatewayState> gateways;
    std::uint64_t commits = 0;
    std::uint64_t commits_failed = 0;
    std::uint64_t last_commit_us = 0;
    std::string problem;  // of the last commit
};

// Reads rings, hands records to the join, and what comes of them to the sums; makes batches and has them
// written.
class Ingest final : private account::JoinSink {
  public:
    Ingest(const Config& config, store::Store& store, std::function<Nanos()> clock);
    ~Ingest() override;
    void add(IngestPart part) {
        if (part.behind) sums_.add(part);
        parts_.push_back(std::move(part));
    }
    // Takes up where the store says, and starts the thread.
    Status start();
    // Commits what is in hand and ends the thread.
    void stop();
    // Any thread; as of at most half a second ago.
    [[nodiscard]] IngestStatus status() const;
    // Since its last round began; rounds take milliseconds. Any thread.
    [[nodiscard]] std::int64_t still_for_ms() const noexcept;
    // Accounts that a connection of lately is known to have. For parts behind, in their hooks.
    [[nodiscard]] std::vector<model::AccountTag> accounts_of(const contract::FlowId& flow) const {
        return sums_.accounts_of(flow);
    }

  private:
    static constexpr char kRingRoom[] = "ring";
    static constexpr char kJoinRoom[] = "join";
    Status start_join(account::JoinConfig config);
    void keep_join(store::Batch& batch);
    void run();
    void end();
    std::size_t read_rings(Nanos now);
    static constexpr std::size_t kReadAhead = Sums::kReadsAtOnce;
    std::size_t read_ahead(dataplane_link::RingSource& ring, Nanos now);
    void take_record(const ReadRecord& read, const account::FlowEvent* event, Nanos now);
    void begin_commit(Nanos now);
    void end_commit(StoreWriter::Outcome outcome);
    void publish(Nanos now);
    [[nodiscard]] bool commit_due(Nanos now) const;
    [[nodiscard]] bool has_room() const;
    void sighting(const model::Sighting& sighting) override;
    void account_event(const model::AccountEvent& event) override;
    void request_joined(std::uint64_t request, const contract::FlowId& flow, const model::AccountTag& account,
                        const model::OrgTag& org) override;

    Config config_;
    store::Store& store_;
    std::function<Nanos()> clock_;
    std::vector<IngestPart> parts_;
    std::vector<std::unique_ptr<dataplane_link::RingSource>> rings_;  // each before that of its alerts
    // An empty ring of alerts says nothing of how far its dataplane's flows have come.
    static bool tells_flows(std::size_t ring) noexcept { return ring % 2 == 0; }
    std::size_t first_ring_ = 0;  // of the next round
    Sums sums_;
    std::unique_ptr<account::Join> join_;
    JoinFile join_file_;
    std::string join_saved_;  // what goes into the file
    bool join_file_told_ = false;  // that it cannot be written
    // Records that were read and not yet taken in: in the sums' parcel, and what the join is told of each.
    std::array<const ReadRecord*, kReadAhead> ahead_{};
    std::array<account::FlowEvent, kReadAhead> events_;
    Nanos now_;
    Nanos last_event_;  // newest time of a record
    Nanos commit_at_;   // the next one
    bool anything_ = false;  // since the last commit
    StoreWriter writer_;
    std::vector<dataplane_link::RingSource::Mark> marks_;  // of the batch that is being written
    std::unique_ptr<store::Batch> refused_;  // by the store: it is given again
    std::unique_ptr<store::Batch> empty_;    // the room of the one before
    std::uint64_t evicted_before_ = 0;       // by the join, before this process
    std::atomic<std::int64_t> round_at_{0};  // ms of the steady clock
    std::atomic<bool> stopping_{false};
    std::thread thread_;

    mutable std::mutex status_mutex_;
    IngestStatus status_;
    Nanos published_;
    std::vector<std::uint64_t> records_before_;
    std::vector<RingFill> fills_;  // as rings_
};

}  // namespace seine::service
