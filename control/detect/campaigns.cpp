// Cuts a farm where neither ties nor traits cross.
#include "control/detect/campaigns.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <tbb/parallel_for.h>

#include "control/detect/traits.h"
#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

constexpr std::size_t kPartMin = 5;
constexpr std::size_t kPartsMax = 16;
constexpr std::size_t kSeedsMax = 24;  // of each kind
constexpr unsigned kRounds = 12;
constexpr unsigned kPolish = 6;
constexpr double kMuch = 0.12;  // of an account's connections: a size it sends much
constexpr double kTemperedFrom = 0.4, kTemperedStep = 0.1;
constexpr double kTieNats = 3;        // of one tie to a member of a side
constexpr double kMisplaced = 0.15;   // of the ties that one pool would make across
constexpr double kTiesApart = -3;     // evidence of the ties from which they are held to be apart
constexpr double kGainApart = 5;      // of clients and sizes, where ties tell,
constexpr double kGainEach = 1.5;     // and for each account of the smaller side
constexpr double kDayNats = 3;        // most that the day of sign-up moves an account
constexpr double kClientsApart = 30;  // of clients alone, where there are too few ties to tell
constexpr double kBothApart = 10;     // of clients and of sizes each, where nothing else tells

using Rows = std::vector<std::uint32_t>;

// One cut of a set of positions: who is on the second side.
struct Cut {
    std::vector<char> second;  // by place in the set
    double gain = 0;
    [[nodiscard]] std::size_t count() const {
        return static_cast<std::size_t>(std::count(second.begin(), second.end(), 1));
    }
};

class Cutter {
  public:
    Cutter(const Traits& traits, Rows set)
        : traits_(&traits), set_(std::move(set)), place_of_(traits.size(), kNone) {
        for (std::uint32_t i = 0; i < set_.size(); ++i) place_of_[set_[i]] = i;
    }
    // The cut that holds and explains most; no second side where none holds.
    [[nodiscard]] Cut best() const {
        const std::vector<Rows> from = seeds();
        std::vector<Cut> cuts(from.size());
        tbb::parallel_for(std::size_t{0}, from.size(), [&](std::size_t i) {
            Cut cut = settle(from[i]);
            const std::size_t n = cut.count();
            if (n >= kPartMin && set_.size() - n >= kPartMin && holds(cut)) cuts[i] = std::move(cut);
        });
        Cut best;
        for (Cut& cut : cuts) {
            if (cut.gain > best.gain) best = std::move(cut);
        }
        return best;
    }

    // Whether the set's first `first` positions are apart from the others.
    [[nodiscard]] bool apart(std::size_t first) const {
        Cut cut;
        cut.second.assign(set_.size(), 1);
        std::fill_n(cut.second.begin(), first, char{0});
        return holds(cut);
    }

  private:
    static constexpr std::uint32_t kNone = 0xffffffffu;

    // Places where another operator may begin, largest first of each kind.
    [[nodiscard]] std::vector<Rows> seeds() const {
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
    // Accounts of one day of sign-up that send one size much, where the set would lead to expect
    // fewer: the strongest first.
    [[nodiscard]] std::vector<Rows> batches() const {
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
    [[nodiscard]] static bool much(const Traits::Size& size) { return size.share >= kMuch; }
    static void keep_largest(std::vector<Rows>& list) {
        std::stable_sort(list.begin(), list.end(),
                         [](const Rows& a, const Rows& b) { return a.size() > b.size(); });
        if (list.size() > kSeedsMax) list.resize(kSeedsMax);
    }
    // Components of the ties, but for the largest.
    [[nodiscard]] std::vector<Rows> tied() const {
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
    [[nodiscard]] Side side(const Cut& cut, char which) const {
        Side out(*traits_);
        for (std::uint32_t i = 0; i < set_.size(); ++i) {
            if (cut.second[i] == which) out.add(set_[i]);
        }
        return out;
    }
    // Moves everybody to the side that fits better until nobody moves.
    [[nodiscard]] Cut settle(const Rows& seed) const {
        Cut cut;
        cut.second.assign(set_.size(), 0);
        for (const std::uint32_t i : seed) cut.second[i] = 1;
        Side whole(*traits_);
        for (const std::uint32_t at : set_) whole.add(at);
        for (unsigned round = 0; round < kRounds; ++round) {
            const Side first = side(cut, 0), second = side(cut, 1);
            if (first.members() < kPartMin || second.members() < 2) break;
            std::vector<char> next(cut.second);
            for (std::uint32_t i = 0; i < set_.size(); ++i) {
                next[i] = lean(cut, first, second, whole, i, tempering(round)) > 0 ? 1 : 0;
            }
            if (next == cut.second && tempering(round) >= 1) break;
            cut.second.swap(next);
        }
        return cut;
    }
    // How far the sizes of the sides count: little at first, when a seed is a part of its side.
    [[nodiscard]] static double tempering(unsigned round) {
        return std::min(1.0, kTemperedFrom + kTemperedStep * round);
    }
    // Nats by which a member fits the second side better.
    [[nodiscard]] double lean(const Cut& cut, const Side& first, const Side& second,
                              const Side& whole, std::uint32_t i, double tempered) const {
        const bool own = cut.second[i] != 0;
        const std::uint32_t at = set_[i];
        double nats = tempered * std::log((second.members() + 1) / (first.members() + 1));
        nats += second.clients(at, whole, own) - first.clients(at, whole, !own);
        nats += std::clamp(second.onboard(at, whole, own) - first.onboard(at, whole, !own),
                           -kDayNats, kDayNats);
        nats += second.sizes(at, whole, own) - first.sizes(at, whole, !own);
        double ties = 0;
        for (const std::uint32_t other : traits_->ties(at)) {
            if (place_of_[other] == kNone) continue;
            ties += cut.second[place_of_[other]] != 0 ? kTieNats : -kTieNats;
        }
        return nats + std::clamp(ties, -4 * kTieNats, 4 * kTieNats);
    }
    // ln of how much likelier the ties across are in one pool than by chance.
    [[nodiscard]] double ties_across(const Cut& cut) const {
        double across = 0, all = 0, second = 0, active = 0, active_second = 0;
        for (std::uint32_t i = 0; i < set_.size(); ++i) {
            active += traits_->connections(set_[i]);
            active_second += cut.second[i] * traits_->connections(set_[i]);
            for (const std::uint32_t other : traits_->ties(set_[i])) {
                if (place_of_[other] == kNone) continue;
                all += 1;
                second += cut.second[i];
                across += cut.second[i] != cut.second[place_of_[other]] ? 1 : 0;
            }
        }
        across /= 2;
        if (all == 0) return 0;
        const double n = static_cast<double>(cut.count());
        const double by_chance =
            traits_->chance_rate() * n * (static_cast<double>(set_.size()) - n);
        // In one pool, ties would fall on the sides as both their other ties and their traffic say.
        const double share = (second / all + active_second / active) / 2;
        const double in_one = all * share * (1 - share);
        // Some accounts are on the wrong side of any cut, and bring their ties along.
        const double apart = by_chance + kMisplaced * in_one;
        if (in_one <= apart) return 0;
        return across * std::log(in_one / apart) - (in_one - apart);
    }
    [[nodiscard]] bool holds(Cut& cut) const {
        const double ties = ties_across(cut);
        if (ties > 0) return false;
        const Side first = side(cut, 0), second = side(cut, 1);
        Side whole(*traits_);
        for (const std::uint32_t at : set_) whole.add(at);
        double clients = 0, sizes = 0, onboard = 0;
        bool dated = false;
        for (std::uint32_t i = 0; i < set_.size(); ++i) {
            const Side& mine = cut.second[i] != 0 ? second : first;
            clients += mine.clients(set_[i], whole, true) - whole.clients(set_[i], whole, true);
            sizes += mine.sizes(set_[i], whole, true) - whole.sizes(set_[i], whole, true);
            onboard += mine.onboard(set_[i], whole, true) - whole.onboard(set_[i], whole, true);
            dated = dated || !traits_->ids(Traits::onboard, set_[i]).empty();
        }
        cut.gain = clients + sizes;
        const double fewer = static_cast<double>(std::min(cut.count(), set_.size() - cut.count()));
        if (ties <= kTiesApart) return cut.gain >= std::max(kGainApart, kGainEach * fewer);
        // One operator may run two clients, but signs up for both in the same batches. Where no day is
        // known, what is asked with either client stands for it.
        if (dated) return clients >= kClientsApart && onboard >= kGainApart && sizes >= 0;
        return clients >= kClientsApart || (clients >= kBothApart && sizes >= kBothApart);
    }

    const Traits* traits_;
    Rows set_;
    std::vector<std::uint32_t> place_of_;
};

// Joins parts that were cut off a third one, each for itself, but not from one another.
void rejoin(const Traits& traits, std::vector<Rows>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (std::size_t j = i + 1; j < parts.size();) {
            Rows both(parts[i]);
            both.insert(both.end(), parts[j].begin(), parts[j].end());
            if (Cutter(traits, both).apart(parts[i].size())) {
                ++j;
                continue;
            }
            parts[i] = std::move(both);
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(j));
            j = i + 1;
        }
    }
}

// Everybody to the part that he fits best, all of them being there: a cut is made before the others
// are known. Parts keep their place in the list; one that would fall under kPartMin keeps its own.
void polish(const Traits& traits, std::vector<Rows>& parts) {
    if (parts.size() < 2) return;
    std::vector<std::uint32_t> part(traits.size(), 0);
    for (std::uint32_t p = 0; p < parts.size(); ++p) {
        for (const std::uint32_t at : parts[p]) part[at] = p;
    }
    for (unsigned round = 0; round < kPolish; ++round) {
        Side whole(traits);
        std::vector<Side> sides(parts.size(), Side(traits));
        for (std::uint32_t at = 0; at < part.size(); ++at) {
            whole.add(at);
            sides[part[at]].add(at);
        }
        std::vector<std::uint32_t> next(part);
        for (std::uint32_t at = 0; at < part.size(); ++at) {
            std::vector<double> ties(parts.size(), 0);
            for (const std::uint32_t other : traits.ties(at)) ties[part[other]] += kTieNats;
            double most = 0;
            for (std::uint32_t p = 0; p < parts.size(); ++p) {
                const bool own = part[at] == p;
                const double nats = std::log(sides[p].members() + 1) +
                                    sides[p].clients(at, whole, own) +
                                    sides[p].sizes(at, whole, own) +
                                    std::min(ties[p], 4 * kTieNats) +
                                    std::clamp(sides[p].onboard(at, whole, own) -
                                                   whole.onboard(at, whole, true),
                                               -kDayNats, kDayNats);
                if (p > 0 && nats <= most) continue;
                most = nats;
                next[at] = p;
            }
        }
        if (next == part) break;
        std::vector<std::size_t> size(parts.size(), 0);
        for (const std::uint32_t p : next) ++size[p];
        if (*std::min_element(size.begin(), size.end()) < kPartMin) break;
        part.swap(next);
    }
    for (Rows& rows : parts) rows.clear();
    for (std::uint32_t at = 0; at < part.size(); ++at) parts[part[at]].push_back(at);
}

}  // namespace

std::vector<std::uint32_t> split_campaigns(const Population& population, const TwinGraph& twins,
                                           const TwinGraph& chance,
                                           const std::vector<std::uint32_t>& members) {
    const Traits traits(population, twins, chance, members);
    std::vector<Rows> open(1), done;
    for (std::uint32_t at = 0; at < members.size(); ++at) open[0].push_back(at);
    while (!open.empty()) {
        Rows set = std::move(open.back());
        open.pop_back();
        Cut cut;
        if (set.size() >= 2 * kPartMin && done.size() + open.size() + 1 < kPartsMax) {
            cut = Cutter(traits, set).best();
        }
        if (cut.second.empty()) {
            done.push_back(std::move(set));
            continue;
        }
        Rows halves[2];
        for (std::uint32_t i = 0; i < set.size(); ++i) {
            halves[static_cast<std::size_t>(cut.second[i])].push_back(set[i]);
        }
        for (Rows& half : halves) open.push_back(std::move(half));
    }
    polish(traits, done);
    rejoin(traits, done);
    std::stable_sort(done.begin(), done.end(), [](const Rows& a, const Rows& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    std::vector<std::uint32_t> part(members.size(), 0);
    for (std::uint32_t p = 0; p < done.size(); ++p) {
        for (const std::uint32_t at : done[p]) part[at] = p;
    }
    return part;
}

}  // namespace seine::detect
