// Medians of interleaved rounds, robust against a machine that others use too.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace seine::bench {

// The value below which `share` of them lie; 0 of none.
inline double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const double at = share * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, values.size() - 1);
    return values[low] + (values[high] - values[low]) * (at - static_cast<double>(low));
}
inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

// Half the way from p5 to p95 over the median.
inline double spread(const std::vector<double>& values) {
    const double middle = median(values);
    return middle == 0 ? 0 : (quantile(values, 0.95) - quantile(values, 0.05)) / 2 / middle;
}

}  // namespace seine::bench
