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

// Components of members tied by twins or shared sessions, largest first.
std::vector<Rows> cores_of(const Population& population, const TwinGraph& twins,
                           const Rows& members) {
    UnionFind sets(members.size());
    const auto index = [&](std::uint32_t row) {
        const auto at = std::lower_bound(members.begin(), members.end(), row);
        return at != members.end() && *at == row ? static_cast<std::uint32_t>(at - members.begin())
                                                 : 0xffffffffu;
    };
    std::unordered_map<std::uint32_t, std::uint32_t> first_of_token;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        for (const std::uint32_t other : twins.of(members[i])) {
            const std::uint32_t j = index(other);
            if (j != 0xffffffffu) sets.join(i, j);
        }
        for (const std::uint32_t token : population.tokens_of(members[i])) {
            if (group_of(population.tokens[token].channel) != model::Group::lnk) continue;
            sets.join(first_of_token.emplace(token, i).first->second, i);
        }
    }
    std::vector<Rows> cores = sets.groups(kCoreMin);
    std::stable_sort(cores.begin(), cores.end(),
                     [](const Rows& a, const Rows& b) { return a.size() > b.size(); });
    for (Rows& core : cores) {
        for (std::uint32_t& at : core) at = members[at];
    }
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
