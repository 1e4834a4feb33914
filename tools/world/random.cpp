#include "tools/world/random.h"

#include <algorithm>

namespace seine::world {

std::size_t Weights::pick(double unit) const noexcept {
    const double at = unit * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at);
    return std::min(static_cast<std::size_t>(found - sums_.begin()), sums_.size() - 1);
}

Weights zipf(std::size_t count, double s) {
    std::vector<double> weights(count);
    for (std::size_t i = 0; i < count; ++i) weights[i] = std::pow(static_cast<double>(i + 1), -s);
    return Weights(weights);
}

std::uint64_t Draw::poisson(double mean) noexcept {
    if (mean <= 0) return 0;
    if (mean > 60)
        return static_cast<std::uint64_t>(
            std::max(0.0, std::round(mean + std::sqrt(mean) * normal())));
    const double limit = std::exp(-mean);
    std::uint64_t n = 0;
    for (double product = unit(); product > limit; product *= unit()) ++n;
    return n;
}

std::uint64_t Draw::geometric(double mean) noexcept {
    if (mean <= 1) return 1;
    return 1 + static_cast<std::uint64_t>(std::log1p(-unit()) / std::log1p(-1 / mean));
}

}  // namespace seine::world
