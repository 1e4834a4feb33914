// Counts of durations in fixed buckets, written by one thread and read by any.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seine::siem {

class Histogram {
  public:
    // Upper ends in seconds; one more bucket holds the rest.
    static constexpr std::array<double, 14> kEnds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                  1,     2.5,  5,     10,   30,  60,   300};
    void add(std::int64_t ns, std::uint64_t times = 1) noexcept {
        if (ns < 0) ns = 0;
        const double seconds = static_cast<double>(ns) / 1e9;
        std::size_t at = 0;
        while (at < kEnds.size() && seconds > kEnds[at]) ++at;
        counts_[at].fetch_add(times, std::memory_order_relaxed);
        sum_us_.fetch_add(static_cast<std::uint64_t>(ns / 1000) * times, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
        return counts_[bucket].load(std::memory_order_relaxed);
    }
    [[nodiscard]] double sum_seconds() const noexcept {
        return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
    }

  private:
    std::array<std::atomic<std::uint64_t>, kEnds.size() + 1> counts_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

}  // namespace seine::siem
