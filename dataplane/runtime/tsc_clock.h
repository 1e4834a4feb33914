// UTC from the processor's time-stamp counter: a line through CLOCK_REALTIME, slewed, never stepped.
#pragma once
#include <atomic>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace seine::runtime {

// Any thread may call now(); one thread calls discipline() about once a second. Between two calls the
// line's slope carries the correction, so time never jumps and never runs backwards. An error over
// kStepNs is not slewed: the line starts anew at the wall clock and the epoch counts up.
class TscClock {
  public:
    static constexpr std::int64_t kStepNs = 100 * kMillisecond;
    static constexpr std::int64_t kSlewPpmMax = 10'000;  // 10 ms a second at most

    // Measures the counter against the wall clock for some milliseconds.
    TscClock() noexcept;
    // For tests: a counter of `hertz` that shows `ticks` at `wall`.
    TscClock(std::uint64_t ticks_now, Nanos wall, double hertz) noexcept;

    [[nodiscard]] Nanos now() const noexcept { return at(ticks()); }
    [[nodiscard]] Nanos at(std::uint64_t ticks_now) const noexcept;
    // Bends the line toward the wall clock. Returns the error found, wall minus line.
    std::int64_t discipline() noexcept;
    std::int64_t discipline(std::uint64_t ticks_now, Nanos wall) noexcept;
    [[nodiscard]] std::uint32_t epoch() const noexcept {
        return epoch_.load(std::memory_order_relaxed);
    }

    static std::uint64_t ticks() noexcept { return __builtin_ia32_rdtsc(); }

  private:
    void publish(std::uint64_t ticks_now, std::int64_t wall_ns, double ns_per_tick) noexcept;

    // A sequence lock: odd while the line is being replaced.
    std::atomic<std::uint32_t> version_{0};
    std::atomic<std::uint64_t> ticks_at_{0};
    std::atomic<std::int64_t> wall_ns_{0};
    std::atomic<double> ns_per_tick_{0};
    std::atomic<std::uint32_t> epoch_{0};
    // Of the disciplining thread alone: the counter's own rate, without the slew.
    double rate_ = 0;
    std::uint64_t first_ticks_ = 0;
    std::int64_t first_wall_ns_ = 0;
};

}  // namespace seine::runtime
