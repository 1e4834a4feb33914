#include "control/account/gateway_clock.h"

#include <algorithm>
#include <cstdlib>

namespace seine::account {

bool GatewayClock::sample(std::int64_t difference_ns, std::int64_t jump_ns) noexcept {
    ring_[taken_ % kSamples] = difference_ns;
    ++taken_;
    // Every one at first, then one in sixteen: a sort of 63 numbers is not free.
    if (taken_ > 16 && taken_ % 16 != 0) return false;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(taken_, kSamples));
    std::array<std::int64_t, kSamples> sorted = ring_;
    std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
    std::size_t best_first = 0;
    std::size_t best_count = 0;
    for (std::size_t first = 0, end = 0; first < count; ++first) {
        while (end < count && sorted[end] - sorted[first] <= kCrowdNs) ++end;
        if (end - first > best_count) {
            best_first = first;
            best_count = end - first;
        }
    }
    if (best_count < kAgreeMin || best_count * 3 < count) return false;
    const std::int64_t before = offset_ns_;
    offset_ns_ = sorted[best_first + best_count / 4];
    learned_ = true;
    return std::llabs(offset_ns_ - before) > jump_ns;
}

}  // namespace seine::account
