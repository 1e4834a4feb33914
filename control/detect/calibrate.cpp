// The null by convolution on a grid of tenths of a nat.
#include "control/detect/calibrate.h"

#include <algorithm>
#include <cmath>

#include <tbb/parallel_for.h>

namespace seine::detect {
namespace {

constexpr double kStep = 0.1;
constexpr int kLow = -400, kHigh = 400;  // steps: forty nats either way
constexpr std::size_t kSlots = kHigh - kLow + 1;
constexpr std::size_t kSampleMax = 2000;
constexpr std::size_t kSampleMin = 30;  // a thinner stratum takes the whole population's weights
constexpr double kTauMin = 2;           // never below: odds of seven to one

using Density = std::vector<double>;

int slot_of(double nats) {
    // Upwards: rounding must not make the null look better than it is.
    const int at = static_cast<int>(std::ceil(nats / kStep - 1e-9));
    return std::clamp(at, kLow, kHigh) - kLow;
}

struct Sample {
    std::vector<Membership> fits;
    double accounts = 0;
};

// Distribution of one group's weight, as (slot, probability).
std::vector<std::pair<int, double>> weights_of(const Sample& sample, std::size_t group) {
    std::array<double, 200> count{};
    for (const Membership& fit : sample.fits) {
        const int at = slot_of(fit.line[group].nats) + kLow + 100;
        count[static_cast<std::size_t>(std::clamp(at, 0, 199))] += 1;
    }
    std::vector<std::pair<int, double>> out;
    for (std::size_t i = 0; i < count.size(); ++i) {
        if (count[i] == 0) continue;
        out.emplace_back(static_cast<int>(i) - 100,
                         count[i] / static_cast<double>(sample.fits.size()));
    }
    return out;
}

Density null_of(const Sample& sample, double prior) {
    Density density(kSlots, 0);
    density[static_cast<std::size_t>(slot_of(prior))] = 1;
    for (std::size_t group = 0; group < kGroups; ++group) {
        const auto weights = weights_of(sample, group);
        Density next(kSlots, 0);
        for (std::size_t i = 0; i < kSlots; ++i) {
            if (density[i] < 1e-15) continue;
            for (const auto& [shift, p] : weights) {
                const int at =
                    std::clamp(static_cast<int>(i) + shift, 0, static_cast<int>(kSlots) - 1);
                next[static_cast<std::size_t>(at)] += density[i] * p;
            }
        }
        density.swap(next);
    }
    return density;
}

}  // namespace

std::size_t null_stratum(const Row& row) noexcept {
    const std::size_t place = row.net == NetClass::hosting || row.net == NetClass::ci ? 0
                              : row.net == NetClass::corporate || row.net == NetClass::education
                                  ? 1
                                  : 2;
    return (place * 3 + row.age) * 2 + (row.gap_known && row.gap_nats >= 1 ? 1 : 0);
}

Thresholds::Thresholds(const Population& population, const Profile& profile, double allowed) {
    std::array<std::vector<std::uint32_t>, kNullStrata> rows;
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        if (!profile.is_member(row)) rows[null_stratum(population.rows[row])].push_back(row);
    }
    std::array<Sample, kNullStrata> samples;
    tbb::parallel_for(std::size_t{0}, kNullStrata, [&](std::size_t s) {
        samples[s].accounts = static_cast<double>(rows[s].size());
        const std::size_t n = std::min(kSampleMax, rows[s].size());
        for (std::size_t i = 0; i < n; ++i) {
            samples[s].fits.push_back(profile.fit(rows[s][i * rows[s].size() / n]));
        }
    });
    const double prior =
        std::log(std::max(1.0, profile.orgs()) / std::max(1.0, population.orgs() - profile.orgs()));
    Sample all;
    for (const Sample& s : samples) all.fits.insert(all.fits.end(), s.fits.begin(), s.fits.end());
    tau_.fill(kTauMin);
    if (all.fits.empty()) return;
    std::array<double, kNullStrata> expected{};
    tbb::parallel_for(std::size_t{0}, kNullStrata, [&](std::size_t s) {
        const Sample& sample = samples[s].fits.size() >= kSampleMin ? samples[s] : all;
        const Density density = null_of(sample, prior);
        const double share =
            samples[s].accounts / std::max(1.0, static_cast<double>(population.size()));
        const double mine = allowed * (share + 1.0 / kNullStrata) / 2;
        double tail = 0;
        std::size_t at = kSlots;
        while (at > 0 && samples[s].accounts * (tail + density[at - 1]) <= mine) {
            tail += density[--at];
        }
        tau_[s] = std::max(kTauMin, kStep * (static_cast<double>(at) + kLow));
        expected[s] = samples[s].accounts * tail;
    });
    for (const double e : expected) expected_ += e;
}

}  // namespace seine::detect
