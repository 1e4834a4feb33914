#include "dataplane/runtime/tsc_clock.h"

#include <time.h>

#include <algorithm>

namespace seine::runtime {
namespace {

std::int64_t wall_now_ns() noexcept {
    timespec at{};
    clock_gettime(CLOCK_REALTIME, &at);
    return at.tv_sec * kSecond + at.tv_nsec;
}

std::int64_t steady_now_ns() noexcept {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC_RAW, &at);
    return at.tv_sec * kSecond + at.tv_nsec;
}

// Both clocks at one instant: of several readings the one with the least time in between.
struct Pair {
    std::uint64_t ticks;
    std::int64_t wall_ns;
};
Pair read_pair() noexcept {
    Pair best{};
    std::uint64_t least = UINT64_MAX;
    for (int i = 0; i < 8; ++i) {
        const std::uint64_t before = TscClock::ticks();
        const std::int64_t wall = wall_now_ns();
        const std::uint64_t after = TscClock::ticks();
        if (after - before < least) {
            least = after - before;
            best = {before + (after - before) / 2, wall};
        }
    }
    return best;
}

constexpr std::int64_t kMeasureNs = 20 * kMillisecond;
constexpr std::int64_t kDisturbedNs = kMillisecond;

}  // namespace

TscClock::TscClock() noexcept {
    const std::uint64_t first = ticks();
    const std::int64_t start = steady_now_ns();
    std::int64_t passed = 0;
    while ((passed = steady_now_ns() - start) < kMeasureNs) {
    }
    rate_ = static_cast<double>(passed) / static_cast<double>(ticks() - first);
    const Pair pair = read_pair();
    first_ticks_ = pair.ticks;
    first_wall_ns_ = pair.wall_ns;
    publish(pair.ticks, pair.wall_ns, rate_);
}

TscClock::TscClock(std::uint64_t ticks_now, Nanos wall, double hertz) noexcept
    : rate_(1e9 / hertz), first_ticks_(ticks_now), first_wall_ns_(wall.count) {
    publish(ticks_now, wall.count, rate_);
}

void TscClock::publish(std::uint64_t ticks_now, std::int64_t wall_ns, double ns_per_tick) noexcept {
    const std::uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    // Whoever reads one of these also sees that the version is odd or later.
    ticks_at_.store(ticks_now, std::memory_order_release);
    wall_ns_.store(wall_ns, std::memory_order_release);
    ns_per_tick_.store(ns_per_tick, std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
}

Nanos TscClock::at(std::uint64_t ticks_now) const noexcept {
    for (;;) {
        const std::uint32_t version = version_.load(std::memory_order_acquire);
        const std::uint64_t from = ticks_at_.load(std::memory_order_acquire);
        const std::int64_t wall = wall_ns_.load(std::memory_order_acquire);
        const double slope = ns_per_tick_.load(std::memory_order_acquire);
        if ((version & 1) != 0 || version_.load(std::memory_order_relaxed) != version) continue;
        // A reader may hold a tick count from just before the line's start: the sign is kept.
        const auto ticks_passed = static_cast<std::int64_t>(ticks_now - from);
        return {wall + static_cast<std::int64_t>(static_cast<double>(ticks_passed) * slope)};
    }
}

std::int64_t TscClock::discipline() noexcept {
    const Pair pair = read_pair();
    return discipline(pair.ticks, Nanos{pair.wall_ns});
}

std::int64_t TscClock::discipline(std::uint64_t ticks_now, Nanos wall) noexcept {
    const std::int64_t line = at(ticks_now).count;
    const std::int64_t error = wall.count - line;
    if (error > kStepNs || error < -kStepNs) {
        // The wall clock was set. The counter's rate is as it was; the line begins anew.
        first_ticks_ = ticks_now;
        first_wall_ns_ = wall.count;
        epoch_.fetch_add(1, std::memory_order_relaxed);
        publish(ticks_now, wall.count, rate_);
        return error;
    }
    // The counter's own rate over the whole epoch: the longer, the better known. A wall clock that was
    // itself slewed meanwhile says nothing of the counter: measure anew from here.
    if (error > kDisturbedNs || error < -kDisturbedNs) {
        first_ticks_ = ticks_now;
        first_wall_ns_ = wall.count;
    }
    const auto ticks_passed = static_cast<std::int64_t>(ticks_now - first_ticks_);
    const std::int64_t ns_passed = wall.count - first_wall_ns_;
    if (ticks_passed > 0 && ns_passed > kSecond / 2) {
        rate_ = static_cast<double>(ns_passed) / static_cast<double>(ticks_passed);
    }
    // Reach the wall clock one second from now, within the slew limit: never a step.
    const double ppm = std::clamp(static_cast<double>(error) / 1e3,
                                  -static_cast<double>(kSlewPpmMax),
                                  static_cast<double>(kSlewPpmMax));
    publish(ticks_now, line, rate_ * (1.0 + ppm / 1e6));
    return error;
}

}  // namespace seine::runtime
