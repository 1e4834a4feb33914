// Account records on their way from the thread that reads sockets to the one that joins.
#pragma once
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "control/account/source_record.h"

namespace seine::account {

// Records in the order they were read; what is told of their requests stands beside them.
class RecordParcel {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    // Takes a copy of what `record` borrows.
    void add(const SourceRecord& record) {
        records_.push_back(record);
        if (record.said == nullptr) return;
        if (request_count_ == requests_.size()) requests_.emplace_back();
        requests_[request_count_] = *record.said;
        records_.back().said = nullptr;
        said_.emplace_back(records_.size() - 1, request_count_++);
    }
    // Calls take(const SourceRecord&) for each.
    template <typename Take>
    void each(Take&& take) {
        for (const auto& [record, request] : said_) records_[record].said = &requests_[request];
        for (const SourceRecord& record : records_) take(record);
    }
    // Keeps the room.
    void clear() noexcept {
        records_.clear();
        said_.clear();
        request_count_ = 0;
    }

  private:
    std::vector<SourceRecord> records_;
    std::vector<std::pair<std::size_t, std::size_t>> said_;  // which record has which request
    std::vector<Request> requests_;
    std::size_t request_count_ = 0;
};

// One thread fills and gives, another takes; parcels come back empty. Bounded: where none may be given
// any more the filling thread reads on later, and the sockets count what they have no room for.
class RecordParcels {
  public:
    static constexpr std::size_t kRecords = 1024;     // a parcel is full
    static constexpr std::size_t kParcelsMax = 64;    // a fifth of a second at 300,000 records/s

    // The filling thread. False: nothing may be read now.
    [[nodiscard]] bool has_room() {
        if (fresh_.size() < kRecords) return true;
        give();
        return fresh_.size() < kRecords;
    }
    RecordParcel& fresh() noexcept { return fresh_; }
    // Hands over a full parcel, and one that is not full to whoever has nothing to do. True when
    // nothing is left here.
    bool give() {
        if (fresh_.size() == 0) return true;
        const std::lock_guard lock(mutex_);
        if (given_.size() >= kParcelsMax || (fresh_.size() < kRecords && !given_.empty())) return false;
        given_.push_back(std::exchange(fresh_, {}));
        if (spare_.empty()) return true;
        fresh_ = std::move(spare_.back());
        spare_.pop_back();
        return true;
    }

    // The taking thread. False: there is none. `out` goes back.
    bool take(RecordParcel& out) {
        out.clear();
        const std::lock_guard lock(mutex_);
        if (given_.empty()) return false;
        if (spare_.size() < kParcelsMax) spare_.push_back(std::exchange(out, {}));
        out = std::move(given_.front());
        given_.pop_front();
        return true;
    }
    // When the filling thread has ended: what it left.
    RecordParcel& left() noexcept { return fresh_; }

  private:
    RecordParcel fresh_;  // of the filling thread

    std::mutex mutex_;  // of what follows
    std::deque<RecordParcel> given_;
    std::vector<RecordParcel> spare_;
};

}  // namespace seine::account
