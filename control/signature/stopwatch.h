// How long a piece of work takes on this machine.
#pragma once
#include <algorithm>
#include <chrono>

namespace seine::control_signature {

inline constexpr int kStopwatchRounds = 7;

// The least of several rounds of `times`: what else runs here can only add.
template <typename Work>
double nanoseconds_of(int times, Work&& work) {
    double best = 1e18;
    for (int round = 0; round < kStopwatchRounds; ++round) {
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < times; ++i) work();
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begun;
        best = std::min(best, spent.count() / times);
    }
    return best;
}

// The same with as many `times` as take about a millisecond in all, `times_max` at most: slow work is done a few times only.
template <typename Work>
double nanoseconds_within_a_millisecond(int times_max, Work&& work) {
    constexpr double kRoundNs = 1e6 / kStopwatchRounds;
    const auto begun = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::nano> once = std::chrono::steady_clock::now() - begun;
    return nanoseconds_of(static_cast<int>(std::clamp(kRoundNs / (once.count() + 1), 1.0, static_cast<double>(times_max))), work);
}

}  // namespace seine::control_signature
