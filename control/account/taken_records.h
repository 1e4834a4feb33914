// How many account records sockets have given, in memory that outlives the process.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

namespace seine::account {

// Logs and rings are read again from where the store has them; what came by a socket is gone once it was
// read. So it is counted here as it is read, and in the store as it is stored: what a kill, or a store that
// refused to the end, has cost is the difference. One file of one page, beside the ring; without it the
// count is this process's alone.
class TakenRecords {
  public:
    explicit TakenRecords(const std::string& path);
    ~TakenRecords();
    TakenRecords(const TakenRecords&) = delete;
    TakenRecords& operator=(const TakenRecords&) = delete;

    // One thread at a time.
    void add() noexcept { word().store(count() + 1, std::memory_order_relaxed); }
    // Any thread.
    [[nodiscard]] std::uint64_t count() const noexcept { return word().load(std::memory_order_relaxed); }
    // Another one has another count; 0: none is kept.
    [[nodiscard]] std::uint64_t file_id() const noexcept { return file_id_; }
    // Why none is kept; empty: one is.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  private:
    struct Page;
    [[nodiscard]] std::atomic_ref<std::uint64_t> word() const noexcept { return std::atomic_ref<std::uint64_t>(*count_); }
    bool open(const std::string& path);

    Page* page_ = nullptr;
    std::uint64_t own_ = 0;
    std::uint64_t* count_ = &own_;
    std::uint64_t file_id_ = 0;
    std::string problem_;
};

}  // namespace seine::account
