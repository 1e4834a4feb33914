// Cuts a farm where neither ties nor traits cross.
#include "control/detect/campaigns.h"

#include <algorithm>
#include <cmath>

#include "control/detect/cutter.h"

namespace seine::detect {
namespace {

constexpr std::size_t kPartMin = Cutter::kPartMin;
constexpr std::size_t kPartsMax = 16;
constexpr unsigned kPolish = 6;

using Rows = std::vector<std::uint32_t>;

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
            for (const std::uint32_t other : traits.ties(at)) ties[part[other]] += Cutter::kTieNats;
            double most = 0;
            for (std::uint32_t p = 0; p < parts.size(); ++p) {
                const Weight own = part[at] == p ? Weight::other : Weight::none;
                const double nats = std::log(sides[p].members() + 1) +
                                    sides[p].clients(at, whole, own) +
                                    sides[p].sizes(at, whole, own) +
                                    std::min(ties[p], 4 * Cutter::kTieNats) +
                                    std::clamp(sides[p].onboard(at, whole, own) -
                                                   whole.onboard(at, whole, Weight::other),
                                               -Cutter::kDayNats, Cutter::kDayNats);
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

Split split_campaigns(const Population& population, const TwinGraph& twins, const TwinGraph& chance,
                      const std::vector<std::uint32_t>& members) {
    Split out;
    const Traits traits(population, twins, chance, members);
    std::vector<Rows> open(1), done;
    for (std::uint32_t at = 0; at < members.size(); ++at) open[0].push_back(at);
    while (!open.empty()) {
        Rows set = std::move(open.back());
        open.pop_back();
        Cut cut;
        if (set.size() >= 2 * kPartMin && done.size() + open.size() + 1 < kPartsMax) {
            const Cutter cutter(traits, set);
            cut = cutter.best();
            out.looks += cutter.looks();
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
    out.part.assign(members.size(), 0);
    for (std::uint32_t p = 0; p < done.size(); ++p) {
        for (const std::uint32_t at : done[p]) out.part[at] = p;
    }
    return out;
}

}  // namespace seine::detect
