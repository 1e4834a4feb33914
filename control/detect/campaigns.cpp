// Cores from twins and shared sessions, then one assignment of everybody else.
#include "control/detect/campaigns.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

constexpr std::size_t kCoreMin = 5;
constexpr std::size_t kCoresMax = 16;
constexpr double kClearNats = 2;

using Rows = std::vector<std::uint32_t>;

// Who is tied to whom, by position in `members`. Shared sessions hold: they are listed twice.
std::vector<Rows> ties_of(const Population& population, const TwinGraph& twins,
                          const Rows& members) {
    std::vector<Rows> ties(members.size());
    std::unordered_map<std::uint32_t, std::uint32_t> first_of_token;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        for (const std::uint32_t other : twins.of(members[i])) {
            const auto at = std::lower_bound(members.begin(), members.end(), other);
            if (at != members.end() && *at == other) {
                ties[i].push_back(static_cast<std::uint32_t>(at - members.begin()));
            }
        }
        for (const std::uint32_t token : population.tokens_of(members[i])) {
            if (group_of(population.tokens[token].channel) != model::Group::lnk) continue;
            const std::uint32_t j = first_of_token.emplace(token, i).first->second;
            if (j == i) continue;
            ties[i].insert(ties[i].end(), 2, j);
            ties[j].insert(ties[j].end(), 2, i);
        }
    }
    return ties;
}

// Joins what hangs together by more than one tie: a single chance twin between two pools is a
// bridge, and a bridge does not carry. (Tarjan's low points, without recursion.)
void join_two_connected(const std::vector<Rows>& ties, UnionFind& sets) {
    const auto n = static_cast<std::uint32_t>(ties.size());
    Rows order(n, 0), low(n, 0), parent(n, 0xffffffffu), next(n, 0), stack;
    std::vector<char> back_used(n, 0);
    std::uint32_t clock = 0;
    for (std::uint32_t root = 0; root < n; ++root) {
        if (order[root] != 0) continue;
        order[root] = low[root] = ++clock;
        stack.push_back(root);
        while (!stack.empty()) {
            const std::uint32_t x = stack.back();
            if (next[x] < ties[x].size()) {
                const std::uint32_t y = ties[x][next[x]++];
                if (order[y] == 0) {
                    parent[y] = x;
                    order[y] = low[y] = ++clock;
                    stack.push_back(y);
                } else if (y == parent[x] && back_used[x] == 0) {
                    back_used[x] = 1;  // the tie that led here; a second one counts
                } else {
                    low[x] = std::min(low[x], order[y]);
                }
                continue;
            }
            stack.pop_back();
            if (parent[x] == 0xffffffffu) continue;
            low[parent[x]] = std::min(low[parent[x]], low[x]);
            if (low[x] <= order[parent[x]]) sets.join(x, parent[x]);
        }
    }
}

// Components of members tied by twins or shared sessions, largest first. What hangs by one tie goes
// to the core it hangs on.
std::vector<Rows> cores_of(const Population& population, const TwinGraph& twins,
                           const Rows& members) {
    const std::vector<Rows> ties = ties_of(population, twins, members);
    UnionFind sets(members.size());
    join_two_connected(ties, sets);
    std::vector<Rows> cores = sets.groups(kCoreMin);
    Rows core_of(members.size(), 0xffffffffu), queue;
    for (std::uint32_t c = 0; c < cores.size(); ++c) {
        for (const std::uint32_t at : cores[c]) {
            core_of[at] = c;
            queue.push_back(at);
        }
    }
    for (std::size_t head = 0; head < queue.size(); ++head) {
        for (const std::uint32_t other : ties[queue[head]]) {
            if (core_of[other] != 0xffffffffu) continue;
            core_of[other] = core_of[queue[head]];
            cores[core_of[other]].push_back(other);
            queue.push_back(other);
        }
    }
    for (Rows& core : cores) {
        std::sort(core.begin(), core.end());
        for (std::uint32_t& at : core) at = members[at];
    }
    std::stable_sort(cores.begin(), cores.end(),
                     [](const Rows& a, const Rows& b) { return a.size() > b.size(); });
    return cores;
}

}  // namespace

std::vector<std::uint32_t> split_campaigns(const Population& population, const TwinGraph& twins,
                                           const std::vector<std::uint32_t>& members) {
    std::vector<std::uint32_t> part(members.size(), 0);
    std::vector<Rows> cores = cores_of(population, twins, members);
    // Where even the largest component is a splinter, components are splinters of one pool.
    std::size_t tied = 0;
    for (const Rows& core : cores) tied += core.size();
    if (cores.size() < 2 || 2 * cores.front().size() < tied / 2) return part;
    if (cores.size() > kCoresMax) cores.resize(kCoresMax);
    std::vector<std::unique_ptr<Profile>> profiles;
    for (const Rows& core : cores) {
        profiles.push_back(std::make_unique<Profile>(population, twins, core));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        double best = 0;
        bool fixed = false;
        for (std::uint32_t c = 0; c < cores.size() && !fixed; ++c) {
            if (profiles[c]->is_member(members[i])) {
                part[i] = c;
                fixed = true;
            }
        }
        for (std::uint32_t c = 0; c < cores.size() && !fixed; ++c) {
            // The largest campaign keeps whom no other one claims clearly.
            const double score = profiles[c]->fit(members[i]).score - (c == 0 ? 0 : kClearNats);
            if (c == 0 || score > best) {
                best = score;
                part[i] = c;
            }
        }
    }
    return part;
}

}  // namespace seine::detect
