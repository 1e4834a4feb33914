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
constexpr std::size_t kAges = 3;
constexpr std::size_t kSampleMin = 30;  // a thinner stratum takes the weights of a wider one
// An expected false positive is never worth fewer accounts than this.
constexpr double kPriceMin = 25;
constexpr double kFreeShare = 0.2;  // of the budget, dealt to all farms and strata alike
// Of the budget that one sweep may spend: alerts stick, and over the sweeps of a window some more
// innocent accounts come above the thresholds than stand there at one of them. Measured on three
// worlds at L4: all of it at once realised 3.3 of 3 asked, half of it none.
constexpr double kAtOnce = 0.75;

using Density = std::vector<double>;

int slot_of(double nats) {
    // Upwards: rounding must not make the null look better than it is.
    const int at = static_cast<int>(std::ceil(nats / kStep - 1e-9));
    return std::clamp(at, kLow, kHigh) - kLow;
}

double score_of(std::size_t slot) { return kStep * (static_cast<double>(slot) + kLow); }

using Fits = std::vector<Membership>;
using Rows = std::vector<std::uint32_t>;

// Groups that have nothing to do with where an account comes from.
constexpr std::array<model::Group, 4> kAnywhere = {model::Group::stk, model::Group::time,
                                                   model::Group::mix, model::Group::lnk};

double nats_of(const Membership& fit, model::Group group) {
    return fit.line[static_cast<std::size_t>(group) - 1].nats;
}

// The network, the relay and the place behind it are one thing, and are dealt as one: who rents the
// farm's exits is on its networks, and for that very reason seen to be elsewhere than its relay.
double where_nats(const Membership& fit) {
    return nats_of(fit, model::Group::net) + nats_of(fit, model::Group::prx) +
           fit.line[kPlaceLine].nats;
}

Fits fits_of(const Profile& profile, const Rows& rows) {
    const std::size_t n = std::min(kSampleMax, rows.size());
    Fits out(n);
    tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) {
        out[i] = profile.fit(rows[i * rows.size() / n]);
    });
    return out;
}

// Distribution of a weight of each account, as (slot, probability). An account counts as surely as it
// does not belong, judged without that weight.
template <typename NatsOf>
std::vector<std::pair<int, double>> weights_of(const Fits& sample, NatsOf nats_of_fit) {
    constexpr int kMost = 200;  // steps: twenty nats either way
    std::array<double, 2 * kMost> count{};
    double all = 0;
    for (const Membership& fit : sample) {
        const double nats = nats_of_fit(fit);
        const int at = slot_of(nats) + kLow + kMost;
        const double w = 1 / (1 + std::exp(fit.score - nats));
        count[static_cast<std::size_t>(std::clamp(at, 0, 2 * kMost - 1))] += w;
        all += w;
    }
    std::vector<std::pair<int, double>> out;
    for (std::size_t i = 0; i < count.size(); ++i) {
        if (count[i] == 0) continue;
        out.emplace_back(static_cast<int>(i) - kMost, count[i] / all);
    }
    return out;
}

// What chance deals to the innocent of a stratum: where they come from, what else they show, when
// they signed up and work, and what share of the stratum they are.
struct Null {
    Fits from, what, when;
    double share = 1;
};

// Accounts that show what the innocent of a stratum show, though they are not of it.
struct Reference {
    Fits what, when;
    bool timed = true;  // the same accounts show both
    [[nodiscard]] double nats(const Membership& fit) const {
        double sum = 0;
        for (const model::Group group : kAnywhere) {
            if (timed || group != model::Group::time) sum += nats_of(fit, group);
        }
        return sum;
    }
    // Half of it lies below.
    [[nodiscard]] double middle() const {
        std::vector<double> sums;
        for (const Membership& fit : what) sums.push_back(nats(fit));
        const auto at = sums.begin() + static_cast<std::ptrdiff_t>(sums.size() / 2);
        std::nth_element(sums.begin(), at, sums.end());
        return *at;
    }
};

// Where a farm may be most of a stratum, its own accounts say little about the innocent there. Those
// are taken to be like the reference: as many are below its middle as above, and who is below it
// says where they come from.
Null null_for(Fits own, const Reference* reference) {
    Null null;
    if (reference == nullptr || own.empty() || reference->what.empty()) {
        null.from = own;
        null.when = own;
        null.what = std::move(own);
        return null;
    }
    const double middle = reference->middle();
    double low = 0, below = 0;
    for (const Membership& fit : reference->what) below += reference->nats(fit) <= middle ? 1 : 0;
    const double size = static_cast<double>(own.size());
    for (Membership& fit : own) {
        if (reference->nats(fit) > middle) continue;
        low += 1;
        null.from.push_back(fit);
    }
    const double all = static_cast<double>(reference->what.size());
    const double innocent = (low + std::sqrt(low) + 1) * all / below;
    null.share = std::min(1.0, innocent / size);
    null.what = reference->what;
    null.when = reference->when;
    return null;
}

// Ties of the innocent: shared sessions as they have them, twins as the moved clocks make them.
std::vector<std::pair<int, double>> ties_of(const Fits& sample, const Profile& profile) {
    const auto nats = [](const Membership& fit) { return nats_of(fit, model::Group::lnk); };
    constexpr auto kLink = static_cast<std::size_t>(model::Group::lnk) - 1;
    Fits untwinned;
    for (const Membership& fit : sample) {
        if (fit.line[kLink].source != GroupLine::Source::twins) untwinned.push_back(fit);
    }
    auto weights = weights_of(untwinned.empty() ? sample : untwinned, nats);
    double twinned = 0;
    for (const Profile::ByChance& by_chance : profile.twins_by_chance()) twinned += by_chance.share;
    for (auto& [shift, p] : weights) p *= 1 - twinned;
    for (const Profile::ByChance& by_chance : profile.twins_by_chance())
        weights.emplace_back(slot_of(by_chance.nats) + kLow, by_chance.share);
    return weights;
}

Density null_of(const Null& null, const Profile& profile, double prior) {
    Density density(kSlots, 0);
    density[static_cast<std::size_t>(slot_of(prior))] = 1;
    const auto deal = [&](const std::vector<std::pair<int, double>>& weights) {
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
    };
    deal(weights_of(null.from, where_nats));
    for (const model::Group group : kAnywhere) {
        deal(group == model::Group::lnk
                 ? ties_of(null.what, profile)
                 : weights_of(group == model::Group::time ? null.when : null.what,
                              [&](const Membership& fit) { return nats_of(fit, group); }));
    }
    return density;
}

bool behind_relay(std::size_t stratum) { return stratum % 2 == 1; }
std::size_t age_of(std::size_t stratum) { return stratum / 2 % kAges; }
constexpr std::size_t kYoungOnServers = 0;  // a stratum
bool on_servers(std::size_t stratum) { return stratum / 2 < kAges; }

}  // namespace

std::size_t null_stratum(const Row& row) noexcept {
    const std::size_t place = row.net == NetClass::hosting || row.net == NetClass::ci ? 0
                              : row.net == NetClass::corporate || row.net == NetClass::education
                                  ? 1
                                  : 2;
    return (place * 3 + row.age) * 2 + (row.gap_known && row.gap_nats >= 1 ? 1 : 0);
}

Thresholds::Thresholds(const Population& population, const Profile& profile) {
    std::array<Rows, kNullStrata> rows;
    std::array<Rows, kAges> plain;
    Rows older_servers, young_elsewhere;
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        const std::size_t s = null_stratum(population.rows[row]);
        rows[s].push_back(row);
        if (behind_relay(s)) continue;
        plain[age_of(s)].push_back(row);
        if (on_servers(s) && age_of(s) > 0) older_servers.push_back(row);
        if (!on_servers(s) && age_of(s) == 0) young_elsewhere.push_back(row);
    }
    // Behind relays people show what others of their age do who come without one; young accounts on
    // servers show what older ones there do, and sign up and work as young ones elsewhere.
    std::array<Reference, kAges> of_age;
    for (std::size_t age = 0; age < kAges; ++age)
        of_age[age].what = of_age[age].when = fits_of(profile, plain[age]);
    Reference servers{fits_of(profile, older_servers), fits_of(profile, young_elsewhere), false};
    const bool enough = servers.what.size() >= kSampleMin && servers.when.size() >= kSampleMin;
    std::array<Null, kNullStrata> null;
    Fits relayed, direct;  // of all such strata, for those that are thin
    for (std::size_t s = 0; s < kNullStrata; ++s) {
        const Reference* reference = behind_relay(s)                  ? &of_age[age_of(s)]
                                     : s == kYoungOnServers && enough ? &servers
                                                                      : nullptr;
        null[s] = null_for(fits_of(profile, rows[s]), reference);
        Fits& all = behind_relay(s) ? relayed : direct;
        all.insert(all.end(), null[s].from.begin(), null[s].from.end());
    }
    const double prior =
        std::log(std::max(1.0, profile.orgs()) / std::max(1.0, population.orgs() - profile.orgs()));
    tbb::parallel_for(std::size_t{0}, kNullStrata, [&](std::size_t s) {
        by_chance_[s].assign(kSlots, 0);
        seen_[s].assign(kSlots, 0);
        Null& here = null[s];
        if (here.from.size() < kSampleMin) here.from = behind_relay(s) ? relayed : direct;
        if (here.what.size() < kSampleMin) here.what = here.when = of_age[age_of(s)].what;
        if (rows[s].empty() || here.from.empty() || here.what.empty()) return;
        const Density density = null_of(here, profile, prior);
        double tail = 0;
        for (std::size_t at = kSlots; at-- > 0;) {
            tail += density[at];
            by_chance_[s][at] = static_cast<double>(rows[s].size()) * here.share * tail;
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
    const std::size_t least = static_cast<std::size_t>(slot_of(kLeast));
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
        tau_at_[s] = tau;
        expected_ += cost;
    }
    return expected_;
}

Thresholds::Step Thresholds::best_step(double left) const {
    const std::size_t least = static_cast<std::size_t>(slot_of(kLeast));
    Step best;
    for (std::size_t s = 0; s < kNullStrata; ++s) {
        double found = 0;
        for (std::size_t at = tau_at_[s]; at-- > least;) {
            found += seen_[s][at];
            const double cost = by_chance_[s][at] - by_chance_[s][tau_at_[s]];
            if (cost > left) break;
            if (found < kPriceMin * cost || found < 1) continue;
            const double worth = found / (cost + 1e-9);
            if (worth > best.worth) best = {worth, cost, s, at};
        }
    }
    return best;
}

void Thresholds::take_step(const Step& step) {
    tau_at_[step.stratum] = step.at;
    tau_[step.stratum] = score_of(step.at);
    expected_ += step.cost;
}

void Thresholds::spend_rest(const std::vector<Thresholds*>& farms, double left) {
    constexpr int kStepsMax = 100;
    for (int taken = 0; taken < kStepsMax && left > 0; ++taken) {
        Thresholds* farm = nullptr;
        Step best;
        for (Thresholds* f : farms) {
            const Step step = f->best_step(left);
            if (step.worth <= best.worth) continue;
            best = step;
            farm = f;
        }
        if (farm == nullptr) return;
        farm->take_step(best);
        left -= best.cost;
    }
}

void Thresholds::spend(const std::vector<Thresholds*>& farms, double allowed) {
    if (farms.empty()) return;
    allowed *= kAtOnce;
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
    // What no threshold costs at one price buys steps that are worth a little less.
    spend_rest(farms, allowed - cost(high));
}

}  // namespace seine::detect
