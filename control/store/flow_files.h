// Single flows in one database file an hour: written in order, dropped whole.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "control/store/records.h"
#include "control/store/sqlite.h"

namespace seine::store {

// Files are FOLDER/flows-HOUR.db, HOUR of taking in counted from 1970. write() and the droppers: one
// thread at a time; read() beside them.
class FlowFiles {
  public:
    explicit FlowFiles(std::string folder) : folder_(std::move(folder)) {}

    // Finds what is there. The newest file of an earlier run is looked into by the first write():
    // flows that it has already, because the ring gave them twice, are left out.
    Status open();
    Status write(const std::vector<FlowRow>& flows, const std::vector<FlowAccounts>& accounts, Nanos at);
    [[nodiscard]] Result<std::vector<FlowRow>> read(const FlowQuery& query) const;
    // Takes an account off its flows. Gives how many had it.
    Result<std::uint64_t> forget(const model::AccountTag& tag);
    // Hours before the one of `oldest`; gives how many files went.
    std::size_t drop_before(Nanos oldest);
    // The oldest file, unless it is the one being written.
    bool drop_oldest();
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::size_t files() const;

  private:
    [[nodiscard]] std::string path_of(std::uint32_t hour) const;
    void drop(std::uint32_t hour);
    Status turn_to(std::uint32_t hour);
    Status insert(const FlowRow& flow);
    Status set_accounts(const FlowAccounts& accounts);
    [[nodiscard]] std::vector<std::uint32_t> hours() const;

    std::string folder_;
    mutable std::mutex mutex_;  // of hours_
    std::vector<std::uint32_t> hours_;  // of the files, oldest first
    std::uint32_t current_ = 0;
    Connection writer_;
    std::uint32_t recheck_ = 0;  // hour of the file that the first write looks into; 0: none
};

}  // namespace seine::store
