// Two kinds of cell of one channel: crowded addresses, and accounts tied by shared sessions.
#include <algorithm>
#include <cmath>

#include "control/detect/cells.h"
#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

// How many strangers would show as many different stacks: inverts the expected number of distinct
// values among m draws from the population's stacks.
class StrangersBehindStacks {
  public:
    explicit StrangersBehindStacks(const Population& population) {
        double seen = 0;
        std::vector<double> share;
        for (const SharedToken& t : population.tokens) {
            if (t.channel != Channel::client) continue;
            share.push_back(t.orgs / population.orgs());
            seen += share.back();
        }
        const double alone = std::max(0.0, 1 - seen);  // stacks that one organisation has
        for (double m = 1; m < 70'000; m *= 1.25) {
            double distinct = m * alone;
            for (const double p : share) distinct += 1 - std::pow(1 - std::min(p, 1.0), m);
            people_.push_back(m);
            distinct_.push_back(distinct);
        }
    }
    [[nodiscard]] double people(double distinct) const {
        const auto at = std::lower_bound(distinct_.begin(), distinct_.end(), distinct);
        if (at == distinct_.end()) return people_.back();
        return people_[static_cast<std::size_t>(at - distinct_.begin())];
    }

  private:
    std::vector<double> people_, distinct_;
};

}  // namespace

Cells::Found Cells::crowds(const Population& population) {
    Found found;
    const StrangersBehindStacks strangers(population);
    std::vector<std::uint32_t> stacks;
    for (std::uint32_t token = 0; token < population.tokens.size(); ++token) {
        const SharedToken& t = population.tokens[token];
        if (t.channel != Channel::address || t.orgs < kCellOrgsMin) continue;
        const auto rows = population.rows_of(token);
        stacks.clear();
        for (const std::uint32_t row : rows) {
            for (const std::uint32_t other : population.tokens_of(row)) {
                if (population.tokens[other].channel == Channel::client) stacks.push_back(other);
            }
        }
        std::sort(stacks.begin(), stacks.end());
        stacks.erase(std::unique(stacks.begin(), stacks.end()), stacks.end());
        const double people =
            strangers.people(static_cast<double>(std::max<std::size_t>(1, stacks.size())));
        const double excess = std::log(t.orgs / people);
        Cell cell;
        cell.token[0] = token;
        cell.template_index = kCrowd;
        cell.groups = bit_of(model::Group::net);
        cell.n = t.orgs;
        cell.mu = people;
        cell.nats = std::clamp(excess, 0.0, kCellNatsMax);
        cell.first = found.members.size();
        cell.count = static_cast<std::uint32_t>(rows.size());
        if (cell.nats < 0.5) continue;
        found.members.insert(found.members.end(), rows.begin(), rows.end());
        found.cells.push_back(cell);
    }
    return found;
}

Cells::Found Cells::linked(const Population& population) {
    Found found;
    UnionFind sets(population.size());
    for (std::uint32_t token = 0; token < population.tokens.size(); ++token) {
        const Channel channel = population.tokens[token].channel;
        if (channel != Channel::session && channel != Channel::shared) continue;
        const auto rows = population.rows_of(token);
        for (const std::uint32_t row : rows) sets.join(rows[0], row);
    }
    for (const auto& group : sets.groups(2)) {
        const std::uint32_t n = population.count_orgs(group);
        if (n < 2) continue;
        Cell cell;
        cell.template_index = kLinked;
        cell.groups = bit_of(model::Group::lnk);
        cell.n = n;
        cell.mu = 0;
        cell.nats = session_nats(n);
        cell.first = found.members.size();
        cell.count = static_cast<std::uint32_t>(group.size());
        found.members.insert(found.members.end(), group.begin(), group.end());
        found.cells.push_back(cell);
    }
    return found;
}

}  // namespace seine::detect
