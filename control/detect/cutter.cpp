// Looks for cuts from seeds, and settles them over all members or over samples.
#include "control/detect/cutter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <tbb/parallel_for.h>

#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

constexpr double kMuch = 0.12;  // of an account's connections: a size it sends much
constexpr double kTemperedFrom = 0.4, kTemperedStep = 0.1;
constexpr double kMisplaced = 0.15;   // of the ties that one pool would make across
constexpr double kTiesApart = -3;     // evidence of the ties from which they are held to be apart
constexpr double kGainApart = 5;      // of clients and sizes, where ties tell,
constexpr double kGainEach = 1.5;     // and for each account of the smaller side
constexpr double kClientsApart = 30;  // of clients alone, where there are too few ties to tell
constexpr double kBothApart = 10;     // of clients and of sizes each, where nothing else tells
constexpr double kSameCut = 0.8;        // Jaccard of the smaller sides: two seeds came to one cut

bool much(const Traits::Size& size) { return size.share >= kMuch; }

void keep_largest(std::vector<Cutter::Rows>& list) {
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
    if (list.size() > Cutter::kSeedsMax) list.resize(Cutter::kSeedsMax);
}

// How far the sizes of the sides count: little at first, when a seed is a part of its side.
double tempering(unsigned round) { return std::min(1.0, kTemperedFrom + kTemperedStep * round); }

// The first round in which they count in full.
unsigned settled_round() {
    unsigned round = 0;
    while (tempering(round) < 1) ++round;
    return round;
}

}  // namespace

Cutter::Cutter(const Traits& traits, Rows set)
    : traits_(&traits), set_(std::move(set)), place_of_(traits.size(), kNone), whole_(traits) {
    for (std::uint32_t i = 0; i < set_.size(); ++i) {
        place_of_[set_[i]] = i;
        whole_.add(set_[i]);
    }
}

Cut Cutter::best() const {
    const std::vector<Rows> from = seeds();
    return set_.size() <= kWholeMax ? best_of_all(from) : best_by_sample(from);
}

bool Cutter::apart(std::size_t first) const {
    Cut cut;
    cut.second.assign(set_.size(), 1);
    std::fill_n(cut.second.begin(), first, char{0});
    const Sample all = everybody();
    return holds(all, cut, ties_across(all, cut));
}

Cut Cutter::best_of_all(const std::vector<Rows>& from) const {
    const Sample all = everybody();
    std::vector<Cut> cuts(from.size());
    tbb::parallel_for(std::size_t{0}, from.size(), [&](std::size_t i) {
        Cut cut;
        cut.second.assign(set_.size(), 0);
        for (const std::uint32_t place : from[i]) cut.second[place] = 1;
        settle(all, cut, 0);
        if (large_enough(all, cut) && holds(all, cut, ties_across(all, cut)))
            cuts[i] = std::move(cut);
    });
    return most_telling(std::move(cuts));
}

Cut Cutter::best_by_sample(const std::vector<Rows>& from) const {
    std::vector<Start> starts(from.size());
    std::vector<char> promising(from.size(), 0);
    tbb::parallel_for(std::size_t{0}, from.size(), [&](std::size_t i) {
        promising[i] = start(from[i], starts[i]) ? 1 : 0;
    });
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (promising[i] != 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (starts[a].apart != starts[b].apart) return starts[a].apart;
        return starts[a].cut.gain > starts[b].cut.gain;
    });
    std::vector<std::size_t> chosen;
    for (const std::size_t i : order) {
        if (chosen.size() == kSettledMax) break;
        const bool seen = std::any_of(chosen.begin(), chosen.end(), [&](std::size_t j) {
            return alike(starts[i], starts[j]);
        });
        if (!seen) chosen.push_back(i);
    }
    const Sample all = everybody();
    std::vector<Cut> cuts(chosen.size());
    tbb::parallel_for(std::size_t{0}, chosen.size(), [&](std::size_t i) {
        Cut cut = extended(starts[chosen[i]]);
        settle(all, cut, settled_round());
        if (large_enough(all, cut) && holds(all, cut, ties_across(all, cut)))
            cuts[i] = std::move(cut);
    });
    return most_telling(std::move(cuts));
}

Cut Cutter::most_telling(std::vector<Cut> cuts) {
    Cut best;
    for (Cut& cut : cuts) {
        if (cut.gain > best.gain) best = std::move(cut);
    }
    return best;
}

Cutter::Sample Cutter::everybody() const {
    Sample out{Rows(set_.size()), std::vector<Weight>(set_.size(), Weight::other), kOnce};
    for (std::uint32_t i = 0; i < set_.size(); ++i) out.places[i] = i;
    return out;
}

Cutter::Sample Cutter::sample_of(const Rows& seed) const {
    Sample out{{}, std::vector<Weight>(set_.size(), Weight::none), {}};
    std::vector<char> seeded(set_.size(), 0);
    for (const std::uint32_t place : seed) seeded[place] = 1;
    const std::size_t seeds = std::min(kSampleSeed, seed.size());
    for (std::size_t i = 0; i < seeds; ++i)
        out.weight[seed[i * seed.size() / seeds]] = Weight::seed;
    std::size_t others = 0;
    for (std::size_t i = 0; i < kSampleOthers; ++i) {
        const std::size_t place = i * set_.size() / kSampleOthers;
        if (seeded[place] != 0) continue;
        out.weight[place] = Weight::other;
        ++others;
    }
    for (std::uint32_t i = 0; i < set_.size(); ++i) {
        if (out.weight[i] != Weight::none) out.places.push_back(i);
    }
    const auto each = [](std::size_t all, std::size_t some) {
        return static_cast<double>(all) / std::max(1.0, static_cast<double>(some));
    };
    out.times = {0, each(seed.size(), seeds), each(set_.size() - seed.size(), others)};
    return out;
}

bool Cutter::start(const Rows& seed, Start& out) const {
    out.sample = sample_of(seed);
    out.cut.second.assign(set_.size(), 0);
    for (const std::uint32_t place : seed) out.cut.second[place] = 1;
    settle(out.sample, out.cut, 0);
    if (!large_enough(out.sample, out.cut)) return false;
    const double ties = ties_across(out.sample, out.cut);
    out.apart = holds(out.sample, out.cut, std::min(0.0, ties)) && ties <= 0;
    return out.cut.gain > 0;
}

// Whether two starts put the members that both know on the same sides.
bool Cutter::alike(const Start& a, const Start& b) const {
    std::array<double, 4> n{};  // by side in one and in the other
    for (const std::uint32_t place : a.sample.places) {
        if (b.sample.weight[place] == Weight::none) continue;
        n[static_cast<std::size_t>(2 * a.cut.second[place] + b.cut.second[place])] += 1;
    }
    if (n[0] + n[3] < n[1] + n[2]) {  // the same sides by other names
        std::swap(n[0], n[1]);
        std::swap(n[3], n[2]);
    }
    return std::min(n[0], n[3]) >= kSameCut * (std::min(n[0], n[3]) + n[1] + n[2]);
}

// The sides of a sample, filled with all others of the set.
Cut Cutter::extended(const Start& start) const {
    const Side first = side(start.sample, start.cut, 0), second = side(start.sample, start.cut, 1);
    Cut out;
    out.second.assign(set_.size(), 0);
    for (std::uint32_t i = 0; i < set_.size(); ++i)
        out.second[i] = lean(start.sample, start.cut, first, second, i, 1) > 0 ? 1 : 0;
    looks_ += set_.size();
    return out;
}

Side Cutter::side(const Sample& sample, const Cut& cut, char which) const {
    Side out(*traits_, sample.times);
    for (const std::uint32_t i : sample.places) {
        if (cut.second[i] == which) out.add(set_[i], sample.weight[i]);
    }
    return out;
}

double Cutter::count(const Sample& sample, const Cut& cut) const {
    double n = 0;
    for (const std::uint32_t i : sample.places)
        n += cut.second[i] * sample.times[static_cast<std::size_t>(sample.weight[i])];
    return n;
}

bool Cutter::large_enough(const Sample& sample, const Cut& cut) const {
    const double n = count(sample, cut);
    return n >= kPartMin && static_cast<double>(set_.size()) - n >= kPartMin;
}

// Places where another operator may begin, largest first of each kind.
std::vector<Cutter::Rows> Cutter::seeds() const {
    std::vector<Rows> all = tied();
    for (const auto kind : {Traits::client, Traits::onboard, Traits::mix}) {
        std::vector<Rows> some;
        for (std::uint32_t v = 0; v < traits_->values(kind); ++v) {
            Rows here;
            for (const std::uint32_t at : traits_->with(kind, v)) {
                if (place_of_[at] != kNone) here.push_back(place_of_[at]);
            }
            if (here.size() >= 4 && here.size() + 4 <= set_.size()) some.push_back(here);
        }
        keep_largest(some);
        all.insert(all.end(), some.begin(), some.end());
    }
    for (Rows& rows : batches()) all.push_back(std::move(rows));
    return all;
}

// Accounts of one day of sign-up that send one size much, where the set would lead to expect fewer:
// the strongest first.
std::vector<Cutter::Rows> Cutter::batches() const {
    using Bins = std::array<double, ShapeHistogram::kBins>;
    Bins shown{};
    double sized = 0;
    for (const std::uint32_t at : set_) {
        if (traits_->weight(at) < 3) continue;
        sized += 1;
        for (const Traits::Size& s : traits_->sizes(at)) shown[s.bin] += much(s) ? 1 : 0;
    }
    std::vector<std::pair<double, Rows>> some;
    for (std::uint32_t v = 0; v < traits_->values(Traits::onboard); ++v) {
        std::array<Rows, ShapeHistogram::kBins> with;
        double here = 0;
        for (const std::uint32_t at : traits_->with(Traits::onboard, v)) {
            if (place_of_[at] == kNone || traits_->weight(at) < 3) continue;
            here += 1;
            for (const Traits::Size& s : traits_->sizes(at)) {
                if (much(s)) with[s.bin].push_back(place_of_[at]);
            }
        }
        for (std::size_t bin = 0; bin < with.size(); ++bin) {
            const double n = static_cast<double>(with[bin].size());
            const double mu = here * shown[bin] / std::max(1.0, sized);
            if (n < 4 || n <= mu) continue;
            some.emplace_back(n * std::log(n / mu) - (n - mu), std::move(with[bin]));
        }
    }
    std::stable_sort(some.begin(), some.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (some.size() > kSeedsMax) some.resize(kSeedsMax);
    std::vector<Rows> out;
    for (auto& [strength, rows] : some) out.push_back(std::move(rows));
    return out;
}

// Components of the ties, but for the largest.
std::vector<Cutter::Rows> Cutter::tied() const {
    UnionFind sets(set_.size());
    for (std::uint32_t i = 0; i < set_.size(); ++i) {
        for (const std::uint32_t other : traits_->ties(set_[i])) {
            if (place_of_[other] != kNone) sets.join(i, place_of_[other]);
        }
    }
    std::vector<Rows> groups = sets.groups(4);
    keep_largest(groups);
    if (!groups.empty() && 2 * groups.front().size() > set_.size())
        groups.erase(groups.begin());
    return groups;
}

// Moves everybody to the side that fits better until nobody moves.
void Cutter::settle(const Sample& sample, Cut& cut, unsigned round) const {
    for (; round < kRounds; ++round) {
        const Side first = side(sample, cut, 0), second = side(sample, cut, 1);
        if (first.members() < kPartMin || second.members() < 2) break;
        std::vector<char> next(cut.second);
        for (const std::uint32_t i : sample.places)
            next[i] = lean(sample, cut, first, second, i, tempering(round)) > 0 ? 1 : 0;
        looks_ += sample.places.size();
        if (next == cut.second && tempering(round) >= 1) break;
        cut.second.swap(next);
    }
}

// Nats by which a member fits the second side better.
double Cutter::lean(const Sample& sample, const Cut& cut, const Side& first, const Side& second,
                    std::uint32_t i, double tempered) const {
    const Weight weight = sample.weight[i];
    const Weight of_first = cut.second[i] == 0 ? weight : Weight::none;
    const Weight of_second = cut.second[i] != 0 ? weight : Weight::none;
    const std::uint32_t at = set_[i];
    double nats = tempered * std::log((second.members() + 1) / (first.members() + 1));
    nats += second.clients(at, whole_, of_second) - first.clients(at, whole_, of_first);
    nats += std::clamp(second.onboard(at, whole_, of_second) - first.onboard(at, whole_, of_first),
                       -kDayNats, kDayNats);
    nats += second.sizes(at, whole_, of_second) - first.sizes(at, whole_, of_first);
    double ties = 0;
    for (const std::uint32_t other : traits_->ties(at)) {
        const std::uint32_t place = place_of_[other];
        if (place == kNone) continue;
        const double times = sample.times[static_cast<std::size_t>(sample.weight[place])];
        ties += cut.second[place] != 0 ? times * kTieNats : -times * kTieNats;
    }
    return nats + std::clamp(ties, -4 * kTieNats, 4 * kTieNats);
}

// ln of how much likelier the ties across are in one pool than by chance.
double Cutter::ties_across(const Sample& sample, const Cut& cut) const {
    double across = 0, all = 0, second = 0, active = 0, active_second = 0;
    for (const std::uint32_t i : sample.places) {
        const double times = sample.times[static_cast<std::size_t>(sample.weight[i])];
        active += times * traits_->connections(set_[i]);
        active_second += times * cut.second[i] * traits_->connections(set_[i]);
        for (const std::uint32_t other : traits_->ties(set_[i])) {
            const std::uint32_t place = place_of_[other];
            if (place == kNone) continue;
            const Weight other_weight = sample.weight[place];
            const double both = times * sample.times[static_cast<std::size_t>(other_weight)];
            all += both;
            second += both * cut.second[i];
            across += cut.second[i] != cut.second[place] ? both : 0;
        }
    }
    across /= 2;
    if (all == 0) return 0;
    const double n = count(sample, cut);
    const double by_chance = traits_->chance_rate() * n * (static_cast<double>(set_.size()) - n);
    // In one pool, ties would fall on the sides as both their other ties and their traffic say.
    const double share = (second / all + active_second / active) / 2;
    const double in_one = all * share * (1 - share);
    // Some accounts are on the wrong side of any cut, and bring their ties along.
    const double apart = by_chance + kMisplaced * in_one;
    if (in_one <= apart) return 0;
    return across * std::log(in_one / apart) - (in_one - apart);
}

// Works out what a cut gains, and says whether that and the ties keep the sides apart.
bool Cutter::holds(const Sample& sample, Cut& cut, double ties) const {
    if (ties > 0) return false;
    const Side first = side(sample, cut, 0), second = side(sample, cut, 1);
    const Side whole(whole_);  // a copy: what it says is kept in it, and others ask it too
    double clients = 0, sizes = 0, onboard = 0;
    bool dated = false;
    for (const std::uint32_t i : sample.places) {
        const Side& mine = cut.second[i] != 0 ? second : first;
        const Weight own = sample.weight[i];
        const double times = sample.times[static_cast<std::size_t>(own)];
        const std::uint32_t at = set_[i];
        constexpr Weight kOwn = Weight::other;  // everybody is in the whole once
        clients += times * (mine.clients(at, whole, own) - whole.clients(at, whole, kOwn));
        sizes += times * (mine.sizes(at, whole, own) - whole.sizes(at, whole, kOwn));
        onboard += times * (mine.onboard(at, whole, own) - whole.onboard(at, whole, kOwn));
        dated = dated || !traits_->ids(Traits::onboard, at).empty();
    }
    looks_ += sample.places.size();
    cut.gain = clients + sizes;
    const double n = count(sample, cut);
    const double fewer = std::min(n, static_cast<double>(set_.size()) - n);
    if (ties <= kTiesApart) return cut.gain >= std::max(kGainApart, kGainEach * fewer);
    // One operator may run two clients, but signs up for both in the same batches. Where no day is
    // known, what is asked with either client stands for it.
    if (dated) return clients >= kClientsApart && onboard >= kGainApart && sizes >= 0;
    return clients >= kClientsApart || (clients >= kBothApart && sizes >= kBothApart);
}

}  // namespace seine::detect
