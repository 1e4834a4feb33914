// Cuts a farm where neither ties nor traits cross.
#include "control/detect/campaigns.h"

#include <algorithm>
#include <cmath>

#include "control/detect/traits.h"
#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

constexpr std::size_t kPartMin = 5;
constexpr std::size_t kPartsMax = 16;
constexpr std::size_t kSeedsMax = 24;  // of each kind
constexpr unsigned kRounds = 8;
constexpr double kTieNats = 3;        // of one tie to a member of a side
constexpr double kTiesApart = -3;     // evidence of the ties from which they are held to be apart
constexpr double kGainApart = 5;      // of clients and sizes, where ties tell
constexpr double kClientsApart = 30;  // of clients alone, where there are too few ties to tell

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
        Cut best;
        for (const Rows& seed : seeds()) {
            Cut cut = settle(seed);
            const std::size_t n = cut.count();
            if (n < kPartMin || set_.size() - n < kPartMin || !holds(cut)) continue;
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
        return all;
    }
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
                next[i] = lean(cut, first, second, whole, i) > 0 ? 1 : 0;
            }
            if (next == cut.second) break;
            cut.second.swap(next);
        }
        return cut;
    }
    // Nats by which a member fits the second side better.
    [[nodiscard]] double lean(const Cut& cut, const Side& first, const Side& second,
                              const Side& whole, std::uint32_t i) const {
        const bool own = cut.second[i] != 0;
        const std::uint32_t at = set_[i];
        double nats = std::log((second.members() + 1) / (first.members() + 1));
        nats += second.clients(at, whole, own) - first.clients(at, whole, !own);
        nats += second.onboard(at, whole, own) - first.onboard(at, whole, !own);
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
        if (in_one <= by_chance) return 0;
        return across * std::log(in_one / by_chance) - (in_one - by_chance);
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
        if (ties <= kTiesApart) return cut.gain >= kGainApart;
        // One operator may run two clients, but signs up for both in the same batches.
        return clients >= kClientsApart && (dated ? onboard >= kGainApart && sizes >= 0 : true);
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
