// What waits for one destination: durable, bounded, in order, findings apart from flows.
//
// One thread appends, one takes and acknowledges; append() never waits for the other. Messages are
// in files (segment.h) that survive a kill of the process; findings are also pushed to the disk
// every second by sync().
//
// When the budget is used up the oldest files go: those already acknowledged, then flows, then
// findings; what was waiting in them is counted as shed.
#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control/export/segment.h"
#include "dataplane/base/status.h"

namespace seine::siem {

inline constexpr std::size_t kLaneCount = 2;

struct OutboxLimits {
    std::uint64_t bytes_max = std::uint64_t{1} << 30;    // of all files; 16 MiB at least
    std::uint64_t keep_bytes = std::uint64_t{64} << 20;  // acknowledged files kept for replay
    std::size_t segment_bytes = std::size_t{8} << 20;
};

struct OutboxCounts {
    std::array<std::uint64_t, kLaneCount> appended{};
    std::array<std::uint64_t, kLaneCount> acknowledged{};
    std::array<std::uint64_t, kLaneCount> shed{};
    std::array<std::uint64_t, kLaneCount> waiting{};
    std::uint64_t waiting_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t no_space = 0;  // appends that met a full disk (each is in shed, too)
    std::uint64_t damaged = 0;   // files that could not be read at start and were set aside
    std::int64_t oldest_ns = 0;  // of the first message that waits; 0: none
};

class Outbox {
  public:
    // Messages borrow from the outbox until the next take().
    struct Batch {
        Lane lane{};
        std::vector<std::string_view> messages;
        std::vector<std::size_t> ends;  // offset after each message
        std::int64_t first_ns = 0;
        std::shared_ptr<Segment> segment;
    };

    static Result<std::unique_ptr<Outbox>> open(const std::string& directory,
                                                const OutboxLimits& limits);

    // False when the message was shed (disk full, or longer than a file).
    bool append(Lane lane, std::string_view message, std::int64_t now_ns);
    // The next messages that wait, findings first, of one lane and file. False: nothing waits.
    bool take(Batch& out, std::size_t messages_max, std::size_t bytes_max);
    // The first `count` of the batch have arrived; the rest is taken again.
    void acknowledge(const Batch& batch, std::size_t count);
    // Returns when something waits, wake() is called or the time is over. Where it slept, it then
    // rests for kGatherMs or until kGatherMessages have come: one batch instead of many of one.
    void wait(int timeout_ms);
    void wake();
    void sync();
    void set_limits(const OutboxLimits& limits);
    // Sends again what was acknowledged since then, as far as files are kept; how many.
    std::uint64_t replay(std::int64_t since_ns);
    [[nodiscard]] OutboxCounts counts() const;
    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

  private:
    using Files = std::deque<std::shared_ptr<Segment>>;
    Outbox(std::string directory, const OutboxLimits& limits)
        : directory_(std::move(directory)), limits_(limits) {}
    Status load();
    Segment* writable(Lane lane, std::size_t bytes);
    bool make_room(std::size_t bytes, Lane lane);
    bool drop_oldest(Lane lane, bool acknowledged_only);
    void trim_acknowledged();
    Segment* used_again(Lane lane, std::size_t bytes);
    [[nodiscard]] std::uint64_t kept_bytes() const noexcept;  // of files without anything waiting
    [[nodiscard]] std::size_t segment_bytes(Lane lane) const noexcept;

    std::string directory_;
    OutboxLimits limits_;
    static constexpr int kGatherMs = 5;
    static constexpr std::size_t kGatherMessages = 500;
    [[nodiscard]] bool has_waiting() const noexcept;

    mutable std::mutex mutex_;
    std::condition_variable something_;
    std::size_t missing_ = 0;  // messages until the one who sleeps is to be woken; 0: nobody sleeps
    std::array<Files, kLaneCount> files_;
    std::uint64_t file_bytes_ = 0;
    std::uint64_t next_number_ = 1;
    OutboxCounts counts_;
    const Segment* held_ = nullptr;  // of the batch that is out
    std::size_t held_count_ = 0;
    bool woken_ = false;
};

}  // namespace seine::siem
