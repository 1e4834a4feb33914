// Baselines that cut a graph: peeling of account x token, communities of accounts.
#include <algorithm>
#include <cmath>
#include <queue>
#include <unordered_map>

#include "tools/evaluate/baselines.h"

namespace seine::evaluate {
namespace {

constexpr Channel kGraphChannels[] = {Channel::address, Channel::prefix, Channel::stack,
                                      Channel::header,  Channel::syn,    Channel::ticket};

// Accounts and tokens as nodes, both sides' edges in rows of one array.
struct Bipartite {
    std::size_t accounts = 0;
    std::vector<std::size_t> begin;  // of a node's edges; one more than nodes
    std::vector<std::uint32_t> target;
    std::vector<float> weight;  // of an edge
};

Bipartite graph_of(Ledger& ledger) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  // (account, token node)
    std::vector<float> weights;                                  // by token
    Bipartite out;
    out.accounts = ledger.truth().rows.size();
    for (const Channel channel : kGraphChannels) {
        const std::vector<Posting>& postings = ledger.postings(channel);
        for (std::size_t at = 0; at < postings.size();) {
            std::size_t end = at;
            while (end < postings.size() && postings[end].token == postings[at].token) ++end;
            if (end - at > 1) {
                for (std::size_t i = at; i < end; ++i)
                    edges.emplace_back(postings[i].row, static_cast<std::uint32_t>(weights.size()));
                weights.push_back(
                    static_cast<float>(1 / std::log(static_cast<double>(end - at) + 5)));
            }
            at = end;
        }
    }
    const std::size_t nodes = out.accounts + weights.size();
    out.begin.assign(nodes + 1, 0);
    for (const auto& [a, t] : edges) ++out.begin[a + 1], ++out.begin[out.accounts + t + 1];
    for (std::size_t i = 1; i <= nodes; ++i) out.begin[i] += out.begin[i - 1];
    out.target.resize(2 * edges.size());
    out.weight.resize(2 * edges.size());
    std::vector<std::size_t> fill(out.begin.begin(), out.begin.end() - 1);
    for (const auto& [a, t] : edges) {
        const auto token = static_cast<std::uint32_t>(out.accounts + t);
        out.weight[fill[a]] = out.weight[fill[token]] = weights[t];
        out.target[fill[a]++] = token;
        out.target[fill[token]++] = a;
    }
    return out;
}

}  // namespace

std::vector<double> dense_subgraph(Ledger& ledger) {
    const Bipartite graph = graph_of(ledger);
    const std::size_t nodes = graph.begin.size() - 1;
    std::vector<double> degree(nodes);
    double total = 0;
    std::size_t left = 0;
    using Entry = std::pair<double, std::uint32_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    for (std::uint32_t v = 0; v < nodes; ++v) {
        for (std::size_t e = graph.begin[v]; e < graph.begin[v + 1]; ++e)
            degree[v] += graph.weight[e];
        if (degree[v] == 0) continue;
        total += degree[v] / 2;
        ++left;
        queue.push({degree[v], v});
    }
    std::vector<bool> gone(nodes);
    std::vector<double> scores(graph.accounts);
    double best = 0;
    while (!queue.empty()) {
        const auto [d, v] = queue.top();
        queue.pop();
        if (gone[v] || d > degree[v] + 1e-9) continue;
        if (left > 0) best = std::max(best, total / static_cast<double>(left));
        gone[v] = true;
        if (v < graph.accounts) scores[v] = best;
        total -= degree[v];
        --left;
        for (std::size_t e = graph.begin[v]; e < graph.begin[v + 1]; ++e) {
            const std::uint32_t to = graph.target[e];
            if (gone[to]) continue;
            degree[to] -= graph.weight[e];
            queue.push({degree[to], to});
        }
    }
    return scores;
}

namespace {

struct Edge {
    std::uint32_t from, to;
    float weight;
};

// The account graph, both directions, sorted.
std::vector<Edge> account_edges(Ledger& ledger) {
    constexpr std::size_t kDegreeMax = 64;
    std::unordered_map<std::uint64_t, float> weight_of;
    for (const Channel channel : kGraphChannels) {
        const std::vector<Posting>& postings = ledger.postings(channel);
        for (std::size_t at = 0; at < postings.size();) {
            std::size_t end = at;
            while (end < postings.size() && postings[end].token == postings[at].token) ++end;
            const auto w = static_cast<float>(1 / std::log(static_cast<double>(end - at) + 5));
            for (std::size_t i = at; end - at <= kDegreeMax && i < end; ++i) {
                for (std::size_t k = i + 1; k < end; ++k)
                    weight_of[std::uint64_t{postings[i].row} << 32 | postings[k].row] += w;
            }
            at = end;
        }
    }
    std::vector<Edge> edges;
    edges.reserve(2 * weight_of.size());
    for (const auto& [key, w] : weight_of) {
        const auto a = static_cast<std::uint32_t>(key >> 32);
        const auto b = static_cast<std::uint32_t>(key);
        edges.push_back({a, b, w});
        edges.push_back({b, a, w});
    }
    std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) {
        return x.from != y.from ? x.from < y.from : x.to < y.to;
    });
    return edges;
}

// Moves accounts to the neighbouring community that gains most modularity, in order of their rows.
std::vector<std::uint32_t> greedy_modularity(const std::vector<Edge>& edges, std::uint32_t n) {
    constexpr int kPasses = 8;
    double all = 0;
    std::vector<std::size_t> begin(std::size_t{n} + 1);
    std::vector<double> strength(n);
    for (const Edge& e : edges) {
        ++begin[e.from + 1];
        strength[e.from] += e.weight;
        all += e.weight;
    }
    for (std::size_t i = 1; i <= n; ++i) begin[i] += begin[i - 1];
    std::vector<double> of_community = strength;
    std::vector<double> towards(n);
    std::vector<std::uint32_t> community(n);
    std::vector<std::uint32_t> touched;
    for (std::uint32_t v = 0; v < n; ++v) community[v] = v;
    bool moved = true;
    for (int pass = 0; pass < kPasses && moved; ++pass) {
        moved = false;
        for (std::uint32_t v = 0; v < n; ++v) {
            touched.clear();
            for (std::size_t e = begin[v]; e < begin[v + 1]; ++e) {
                const std::uint32_t c = community[edges[e].to];
                if (towards[c] == 0) touched.push_back(c);
                towards[c] += edges[e].weight;
            }
            const std::uint32_t from = community[v];
            of_community[from] -= strength[v];
            std::uint32_t best = from;
            double best_gain = towards[from] - strength[v] * of_community[from] / all;
            for (const std::uint32_t c : touched) {
                const double gain = towards[c] - strength[v] * of_community[c] / all;
                if (gain > best_gain + 1e-9 || (gain > best_gain - 1e-9 && c < best)) {
                    best = c;
                    best_gain = gain;
                }
                towards[c] = 0;
            }
            towards[from] = 0;
            of_community[best] += strength[v];
            community[v] = best;
            moved |= best != from;
        }
    }
    return community;
}

}  // namespace

std::vector<double> communities(Ledger& ledger) {
    const std::size_t n = ledger.truth().rows.size();
    const std::vector<Edge> edges = account_edges(ledger);
    if (edges.empty()) return std::vector<double>(n);
    const std::vector<std::uint32_t> community =
        greedy_modularity(edges, static_cast<std::uint32_t>(n));
    std::vector<double> inside(n), size(n), scores(n);
    for (const Edge& e : edges) {
        if (community[e.from] == community[e.to]) inside[community[e.from]] += e.weight / 2;
    }
    for (std::uint32_t v = 0; v < n; ++v) ++size[community[v]];
    for (std::uint32_t v = 0; v < n; ++v) {
        const double members = size[community[v]];
        if (members > 1) scores[v] = inside[community[v]] / members * std::log(members);
    }
    return scores;
}

}  // namespace seine::evaluate
