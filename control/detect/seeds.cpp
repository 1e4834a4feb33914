// Cells that overlap make one group: an account may sit in dozens of cells of the same farm.
#include "control/detect/seeds.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <span>
#include <unordered_map>

#include "control/detect/snapshot.h"
#include "control/detect/union_find.h"

namespace seine::detect {
namespace {

constexpr std::size_t kSamples = 32;
constexpr double kOverlap = 0.3;

bool seed_behind_relay(const Row& row) { return row.gap_known && row.gap_nats >= 1; }

bool strong(const Cell& cell, bool sparse) {
    if (cell.template_index == Cells::kLinked) return cell.n >= 5;
    if (cell.template_index == Cells::kCrowd) return cell.nats >= 1;
    return !sparse && cell.nats >= 2;
}

// Joins a cell to each other cell that holds three, and three tenths, of a sample of its members.
void join_overlapping(const Cells& cells, const std::vector<char>& used, UnionFind& sets) {
    std::unordered_map<std::uint32_t, std::uint32_t> hits;
    for (std::uint32_t c = 0; c < cells.cells.size(); ++c) {
        if (used[c] == 0) continue;
        const auto members = cells.members(cells.cells[c]);
        const std::size_t samples = std::min(kSamples, members.size());
        hits.clear();
        for (std::size_t i = 0; i < samples; ++i) {
            const std::uint32_t row = members[i * members.size() / samples];
            for (const std::uint32_t other : cells.of_row(row)) {
                if (other != c && used[other] != 0) ++hits[other];
            }
        }
        for (const auto& [other, n] : hits) {
            if (n >= 3 && n >= kOverlap * static_cast<double>(samples)) sets.join(c, other);
        }
    }
}

// Who is in a group of cells: two groups of channels, or shared sessions, and three nats.
std::vector<std::uint32_t> belonging(const Cells& cells, const std::vector<std::uint32_t>& group) {
    struct Held {
        std::uint8_t groups = 0;
        double nats = 0;
    };
    std::vector<std::uint32_t> order(group);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        const double na = cells.cells[a].nats, nb = cells.cells[b].nats;
        return na != nb ? na > nb : a < b;
    });
    std::unordered_map<std::uint32_t, Held> held;
    for (const std::uint32_t c : order) {
        const Cell& cell = cells.cells[c];
        for (const std::uint32_t row : cells.members(cell)) {
            Held& h = held[row];
            const int fresh = std::popcount(static_cast<unsigned>(cell.groups & ~h.groups));
            if (fresh == 0) continue;
            h.nats += cell.nats * fresh / std::popcount(static_cast<unsigned>(cell.groups));
            h.groups |= cell.groups;
        }
    }
    std::vector<std::uint32_t> rows;
    for (const auto& [row, h] : held) {
        const bool linked = (h.groups & bit_of(model::Group::lnk)) != 0;
        const bool enough =
            linked || std::popcount(static_cast<unsigned>(h.groups)) >= 2 || order.size() == 1;
        if (enough && h.nats >= (order.size() == 1 ? 1 : 3)) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
}

constexpr double kBlockKnown = 4;     // organisations whose round trips are known, on a block
constexpr double kFalseBlocks = 0.01;  // share of the blocks taken that chance may have made

// Likelihood of n or more of `all` where each has a share q.
double binomial_tail(double n, double all, double q) {
    double sum = 0;
    for (double k = n; k <= all; ++k) {
        sum += std::exp(std::lgamma(all + 1) - std::lgamma(k + 1) - std::lgamma(all - k + 1) +
                        k * std::log(q) + (all - k) * std::log1p(-q));
    }
    return std::min(1.0, sum);
}

// Blocks of addresses at homes (a /24, a /56) on which more accounts come through relays than
// anywhere else on networks of their class: what sells addresses by the dozen. One such block says
// little; those that stand out by Benjamini and Hochberg's rule make one group.
std::vector<std::uint32_t> relayed_blocks(const Population& population) {
    struct Block {
        double p;
        std::uint32_t token;
    };
    std::array<double, kNetClasses> known{}, relayed{};
    for (const Row& row : population.rows) {
        if (!row.gap_known) continue;
        known[static_cast<std::size_t>(row.net)] += 1;
        relayed[static_cast<std::size_t>(row.net)] += seed_behind_relay(row) ? 1 : 0;
    }
    std::vector<Block> blocks;
    std::size_t tested = 0;
    for (std::uint32_t token = 0; token < population.tokens.size(); ++token) {
        const SharedToken& t = population.tokens[token];
        const auto net = static_cast<NetClass>(t.net);
        if (t.channel != Channel::prefix || t.orgs < kBlockKnown) continue;
        if (net != NetClass::residential && net != NetClass::unknown) continue;
        std::vector<std::uint32_t> on, with;
        for (const std::uint32_t row : population.rows_of(token)) {
            const Row& r = population.rows[row];
            if (!r.gap_known || r.net != net) continue;
            on.push_back(row);
            if (seed_behind_relay(r)) with.push_back(row);
        }
        const double n = population.count_orgs(with), all = population.count_orgs(on);
        const double others = known[t.net] - all;
        if (all < kBlockKnown || others < kOthersMin) continue;
        ++tested;
        const double q = std::min(0.9, (relayed[t.net] - n + 1) / (others + 2));
        blocks.push_back({binomial_tail(n, all, q), token});
    }
    std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
        return a.p != b.p ? a.p < b.p : a.token < b.token;
    });
    std::size_t taken = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const double most =
            kFalseBlocks * static_cast<double>(i + 1) / static_cast<double>(tested);
        if (blocks[i].p <= most) taken = i + 1;
    }
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < taken; ++i) {
        for (const std::uint32_t row : population.rows_of(blocks[i].token)) {
            if (seed_behind_relay(population.rows[row])) rows.push_back(row);
        }
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

// The value of a channel that most of these rows show; none where no two show one.
std::uint32_t commonest(const Population& population, std::span<const std::uint32_t> rows,
                        Channel channel) {
    std::map<std::uint32_t, std::uint32_t> count;
    std::pair<std::uint32_t, std::uint32_t> best{1, Cell::kNone};
    for (const std::uint32_t row : rows) {
        for (const std::uint32_t token : population.tokens_of(row)) {
            if (population.tokens[token].channel != channel) continue;
            const std::uint32_t n = ++count[token];
            if (n > best.first || (n == best.first && token < best.second)) best = {n, token};
        }
    }
    return best.second;
}

// Crowded addresses of one network on which one client is the commonest: what an operator rents at
// one place. Each crowd alone shows little but its address; all of them show what they share.
std::vector<std::vector<std::uint32_t>> crowds_together(const Population& population,
                                                        const Cells& cells) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> alike;
    for (std::uint32_t c = 0; c < cells.cells.size(); ++c) {
        const Cell& cell = cells.cells[c];
        if (cell.template_index != Cells::kCrowd || !strong(cell, true)) continue;
        const auto rows = cells.members(cell);
        const std::uint32_t network = commonest(population, rows, Channel::network);
        const std::uint32_t client = commonest(population, rows, Channel::client);
        if (network == Cell::kNone || client == Cell::kNone) continue;
        alike[{network, client}].push_back(c);
    }
    std::vector<std::vector<std::uint32_t>> out;
    for (const auto& [key, crowds] : alike) {
        if (crowds.size() < 2) continue;
        std::vector<std::uint32_t> rows;
        for (const std::uint32_t c : crowds) {
            const auto members = cells.members(cells.cells[c]);
            rows.insert(rows.end(), members.begin(), members.end());
        }
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
        out.push_back(std::move(rows));
    }
    return out;
}

// Twins of so many nats at least, as components of all of two and more.
struct Components {
    std::vector<std::vector<std::uint32_t>> rows;
    std::vector<double> edges;  // of each
    double all_rows = 0, all_edges = 0;
};

Components components_of(const Population& population, const TwinGraph& twins, double nats) {
    Components out;
    UnionFind sets(population.size());
    const auto each = [&](const auto& take) {
        for (std::uint32_t row = 0; row < population.size(); ++row) {
            const auto others = twins.of(row);
            const auto strong = twins.nats_of(row);
            for (std::size_t i = 0; i < others.size(); ++i) {
                if (row < others[i] && strong[i] >= nats) take(row, others[i]);
            }
        }
    };
    each([&](std::uint32_t a, std::uint32_t b) { sets.join(a, b); });
    out.rows = sets.groups(2);
    std::vector<std::uint32_t> part(population.size(), 0);
    for (std::uint32_t p = 0; p < out.rows.size(); ++p) {
        out.all_rows += static_cast<double>(out.rows[p].size());
        for (const std::uint32_t row : out.rows[p]) part[row] = p;
    }
    out.edges.assign(out.rows.size(), 0);
    each([&](std::uint32_t a, std::uint32_t) { out.edges[part[a]] += 1; });
    for (const double n : out.edges) out.all_edges += n;
    return out;
}

double ln_choose(double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

// ln of how many sets of as many accounts would have as many twins inside and none across, if all
// twins fell on all accounts alike. One pool that has few twins falls into pieces too.
double ln_by_chance(const Components& all, std::size_t at) {
    const double n = all.all_rows, k = static_cast<double>(all.rows[at].size());
    const double edges = all.edges[at], inside = k * (k - 1) / 2;
    const double rate = all.all_edges / (n * (n - 1) / 2);
    return ln_choose(n, k) + ln_choose(inside, std::min(inside, edges)) + edges * std::log(rate) -
           rate * k * (n - k);
}

}  // namespace

// The strongest twins show the middle of a pool, weaker ones its rim.
std::vector<std::vector<std::uint32_t>> twin_pools(const Population& population,
                                                   const TwinGraph& twins) {
    constexpr double kApart = -10;  // ln of the pieces of one pool that look like that
    constexpr std::size_t kPoolMin = 5;
    constexpr std::uint32_t kNone = 0xffffffffu;
    std::vector<std::uint32_t> pool_of(population.size(), kNone);
    std::uint32_t pools = 0;
    for (const double nats : {6.0, 4.5, Snapshot::kTwinNats}) {
        const Components all = components_of(population, twins, nats);
        for (std::size_t at = 0; at < all.rows.size(); ++at) {
            const auto& rows = all.rows[at];
            if (rows.size() < kPoolMin || ln_by_chance(all, at) > kApart) continue;
            std::uint32_t pool = kNone;
            bool several = false;
            for (const std::uint32_t row : rows) {
                if (pool_of[row] == kNone) continue;
                several = several || (pool != kNone && pool != pool_of[row]);
                pool = pool_of[row];
            }
            if (several) continue;
            if (pool == kNone) pool = pools++;
            for (const std::uint32_t row : rows) pool_of[row] = pool;
        }
    }
    std::vector<std::vector<std::uint32_t>> out(pools + std::size_t{1});
    for (std::uint32_t row = 0; row < population.size(); ++row) {
        if (!twins.of(row).empty()) out[std::min(pool_of[row], pools)].push_back(row);
    }
    if (out.back().size() < kPoolMin) out.pop_back();
    return out;
}

std::vector<Seed> find_seeds(const Population& population, const Cells& cells,
                             const TwinGraph& twins, bool sparse) {
    std::vector<char> used(cells.cells.size(), 0);
    for (std::size_t c = 0; c < used.size(); ++c) used[c] = strong(cells.cells[c], sparse) ? 1 : 0;
    UnionFind sets(cells.cells.size());
    join_overlapping(cells, used, sets);
    std::vector<Seed> seeds;
    for (const auto& group : sets.groups(1)) {
        if (used[group.front()] == 0) continue;
        std::vector<std::uint32_t> rows = belonging(cells, group);
        if (rows.size() >= 5) seeds.push_back({std::move(rows), false});
    }
    for (auto& crowds : crowds_together(population, cells))
        seeds.push_back({std::move(crowds), false});
    std::stable_sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) {
        return a.rows.size() != b.rows.size() ? a.rows.size() > b.rows.size() : a.rows < b.rows;
    });
    for (auto& pool : twin_pools(population, twins)) seeds.push_back({std::move(pool), true});
    if (!sparse) {
        auto blocks = relayed_blocks(population);
        if (blocks.size() >= 5) seeds.push_back({std::move(blocks), false});
    }
    return seeds;
}

}  // namespace seine::detect
