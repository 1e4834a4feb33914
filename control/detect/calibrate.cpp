// The null by convolution on a grid of tenths of a nat, and the budget spent on it.
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
constexpr double kSampleMin = 30;  // a thinner stratum takes the weights of a wider one
constexpr double kTauMin = 4;      // never below: odds of fifty to one
// An expected false positive is never worth fewer accounts than this.
constexpr double kPriceMin = 10;
constexpr double kFreeShare = 0.2;  // of the budget, dealt to all farms and strata alike

using Density = std::vector<double>;

int slot_of(double nats) {
    // Upwards: rounding must not make the null look better than it is.
    const int at = static_cast<int>(std::ceil(nats / kStep - 1e-9));
    return std::clamp(at, kLow, kHigh) - kLow;
}

double score_of(std::size_t slot) { return kStep * (static_cast<double>(slot) + kLow); }

struct Sample {
    std::vector<Membership> fits;
    double accounts = 0;
    [[nodiscard]] double weight() const { return static_cast<double>(fits.size()); }
};

// How surely an account does not belong, judged without one of its groups.
double outside(const Membership& fit, std::size_t group) {
    return 1 / (1 + std::exp(fit.score - fit.line[group].nats));
}

// Distribution of one group's weight, as (slot, probability).
std::vector<std::pair<int, double>> weights_of(const Sample& sample, std::size_t group) {
    std::array<double, 200> count{};
    double all = 0;
    for (const Membership& fit : sample.fits) {
        const int at = slot_of(fit.line[group].nats) + kLow + 100;
        const double w = outside(fit, group);
        count[static_cast<std::size_t>(std::clamp(at, 0, 199))] += w;
        all += w;
    }
    std::vector<std::pair<int, double>> out;
    for (std::size_t i = 0; i < count.size(); ++i) {
        if (count[i] == 0) continue;
        out.emplace_back(static_cast<int>(i) - 100, count[i] / all);
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

using Samples = std::array<Sample, kNullStrata>;

// A stratum's own sample; where it is thin, that of all strata on the same side of relays; where
// even that is, that of everybody.
Sample widened(const Samples& samples, std::size_t stratum) {
    Sample out = samples[stratum];
    for (const std::size_t step : {std::size_t{2}, std::size_t{1}}) {
        if (out.weight() >= kSampleMin) break;
        out.fits.clear();
        for (std::size_t s = stratum % step; s < kNullStrata; s += step) {
            out.fits.insert(out.fits.end(), samples[s].fits.begin(), samples[s].fits.end());
        }
    }
    return out;
}

}  // namespace

std::size_t null_stratum(const Row& row) noexcept {
    const std::size_t place = row.net == NetClass::hosting || row.net == NetClass::ci ? 0
                              : row.net == NetClass::corporate || row.net == NetClass::education
                                  ? 1
                                  : 2;
    return (place * 3 + row.age) * 2 + (row.gap_known && row.gap_nats >= 1 ? 1 : 0);
}

Thresholds::Thresholds(const Population& population, const Profile& profile,
                       const std::vector<char>& taken) {
    std::array<std::vector<std::uint32_t>, kNullStrata> rows;
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        if (taken[row] == 0 && !profile.is_member(row)) {
            rows[null_stratum(population.rows[row])].push_back(row);
        }
    }
    Samples samples;
    tbb::parallel_for(std::size_t{0}, kNullStrata, [&](std::size_t s) {
        samples[s].accounts = static_cast<double>(rows[s].size());
        const std::size_t n = std::min(kSampleMax, rows[s].size());
        for (std::size_t i = 0; i < n; ++i) {
            samples[s].fits.push_back(profile.fit(rows[s][i * rows[s].size() / n]));
        }
    });
    const double prior =
        std::log(std::max(1.0, profile.orgs()) / std::max(1.0, population.orgs() - profile.orgs()));
    tbb::parallel_for(std::size_t{0}, kNullStrata, [&](std::size_t s) {
        by_chance_[s].assign(kSlots, 0);
        seen_[s].assign(kSlots, 0);
        const Sample sample = widened(samples, s);
        if (samples[s].accounts == 0 || sample.fits.empty()) return;
        const Density density = null_of(sample, prior);
        double tail = 0;
        for (std::size_t at = kSlots; at-- > 0;) {
            tail += density[at];
            by_chance_[s][at] = samples[s].accounts * tail;
        }
    });
}

void Thresholds::add_candidate(const Row& row, double score) {
    // Downwards, so that a threshold at its step includes it.
    const int at = static_cast<int>(std::floor(score / kStep + 1e-9));
    seen_[null_stratum(row)][static_cast<std::size_t>(std::clamp(at, kLow, kHigh) - kLow)] += 1;
}

double Thresholds::set(double price, double free) {
    expected_ = 0;
    const std::size_t least = static_cast<std::size_t>(slot_of(kTauMin));
    for (std::size_t s = 0; s < kNullStrata; ++s) {
        double found = 0, best = 0, cost = 0;
        std::size_t tau = kSlots - 1;
        for (std::size_t at = kSlots; at-- > least;) {
            found += seen_[s][at];
            // What costs next to nothing is open: newcomers are judged by it too.
            const double priced = std::max(0.0, by_chance_[s][at] - free);
            const double worth = found - price * priced;
            if (worth < best) continue;
            best = worth;
            tau = at;
            cost = by_chance_[s][at];
        }
        tau_[s] = score_of(tau);
        expected_ += cost;
    }
    return expected_;
}

void Thresholds::spend(const std::vector<Thresholds*>& farms, double allowed) {
    if (farms.empty()) return;
    const double free = kFreeShare * allowed / static_cast<double>(farms.size() * kNullStrata);
    const auto cost = [&](double price) {
        double sum = 0;
        for (Thresholds* farm : farms) sum += farm->set(price, free);
        return sum;
    };
    double low = kPriceMin, high = 1e9;
    if (cost(low) <= allowed) return;
    for (int round = 0; round < 48; ++round) {
        const double middle = std::sqrt(low * high);
        (cost(middle) <= allowed ? high : low) = middle;
    }
    (void)cost(high);
}

}  // namespace seine::detect
