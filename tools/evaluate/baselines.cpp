#include "tools/evaluate/baselines.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "tools/evaluate/union_find.h"

namespace seine::evaluate {
namespace {

// Calls `each(first, last)` for the postings of every token.
template <typename Each>
void for_tokens(const std::vector<Posting>& postings, Each each) {
    for (std::size_t at = 0; at < postings.size();) {
        std::size_t end = at;
        while (end < postings.size() && postings[end].token == postings[at].token) ++end;
        each(at, end);
        at = end;
    }
}

}  // namespace

std::vector<double> accounts_per_token(Ledger& ledger, Channel channel) {
    const std::vector<Posting>& postings = ledger.postings(channel);
    std::vector<double> scores(ledger.truth().rows.size());
    for_tokens(postings, [&](std::size_t at, std::size_t end) {
        const auto n = static_cast<double>(end - at);
        for (std::size_t i = at; i < end; ++i)
            scores[postings[i].row] = std::max(scores[postings[i].row], n);
    });
    return scores;
}

std::vector<double> organisations_per_address(Ledger& ledger) {
    const std::vector<Posting>& postings = ledger.postings(Channel::address);
    const WorldTruth& truth = ledger.truth();
    std::vector<double> scores(truth.rows.size());
    std::unordered_set<std::uint64_t> owners;
    for_tokens(postings, [&](std::size_t at, std::size_t end) {
        owners.clear();
        for (std::size_t i = at; i < end; ++i)
            owners.insert(truth.rows[postings[i].row].org.hash());
        const auto n = static_cast<double>(owners.size());
        for (std::size_t i = at; i < end; ++i)
            scores[postings[i].row] = std::max(scores[postings[i].row], n);
    });
    return scores;
}

std::vector<double> shared_address_components(Ledger& ledger) {
    const std::vector<Posting>& postings = ledger.postings(Channel::address);
    UnionFind sets(ledger.truth().rows.size());
    for_tokens(postings, [&](std::size_t at, std::size_t end) {
        for (std::size_t i = at; i < end; ++i) sets.join(postings[at].row, postings[i].row);
    });
    std::vector<double> scores(ledger.truth().rows.size());
    for (const Posting& p : postings) scores[p.row] = sets.size(p.row);
    return scores;
}

std::vector<double> stack_block_list_oracle(Ledger& ledger) {
    const std::vector<Posting>& postings = ledger.postings(Channel::stack);
    const WorldTruth& truth = ledger.truth();
    std::vector<double> scores(truth.rows.size());
    for_tokens(postings, [&](std::size_t at, std::size_t end) {
        double farm = 0;
        for (std::size_t i = at; i < end; ++i) farm += truth.rows[postings[i].row].farm != 0;
        const double share = farm / (static_cast<double>(end - at) + 1);
        for (std::size_t i = at; i < end; ++i)
            scores[postings[i].row] = std::max(scores[postings[i].row], share);
    });
    return scores;
}

std::vector<double> proxy_score(const Ledger& ledger) {
    const std::vector<RoundTrips>& trips = ledger.round_trips();
    std::vector<double> scores(trips.size());
    for (std::size_t row = 0; row < trips.size(); ++row) {
        const RoundTrips& t = trips[row];
        if (t.samples < 3 || t.tls_us <= t.tcp_us) continue;
        const double gap_ms = static_cast<double>(t.tls_us - t.tcp_us) / 1000;
        const double ratio =
            static_cast<double>(t.tls_us) / std::max(500.0, static_cast<double>(t.tcp_us));
        scores[row] = gap_ms * std::log(ratio);
    }
    return scores;
}

std::vector<double> address_set_jaccard(Ledger& ledger) {
    constexpr std::size_t kAccountsMax = 200;
    constexpr double kJaccardMin = 0.3;
    constexpr std::uint32_t kSharedMin = 2;
    const std::vector<Posting>& postings = ledger.postings(Channel::address);
    std::vector<std::uint32_t> addresses(ledger.truth().rows.size());
    std::vector<std::uint64_t> pairs;
    for_tokens(postings, [&](std::size_t at, std::size_t end) {
        if (end - at > kAccountsMax) return;
        for (std::size_t i = at; i < end; ++i) {
            ++addresses[postings[i].row];
            for (std::size_t k = i + 1; k < end; ++k)
                pairs.push_back(std::uint64_t{postings[i].row} << 32 | postings[k].row);
        }
    });
    std::sort(pairs.begin(), pairs.end());
    UnionFind sets(ledger.truth().rows.size());
    for (std::size_t at = 0; at < pairs.size();) {
        std::size_t end = at;
        while (end < pairs.size() && pairs[end] == pairs[at]) ++end;
        const auto a = static_cast<std::uint32_t>(pairs[at] >> 32);
        const auto b = static_cast<std::uint32_t>(pairs[at]);
        const auto shared = static_cast<std::uint32_t>(end - at);
        const double all = static_cast<double>(addresses[a]) + addresses[b] - shared;
        if (shared >= kSharedMin && shared >= kJaccardMin * all) sets.join(a, b);
        at = end;
    }
    std::vector<double> scores(addresses.size());
    for (std::uint32_t row = 0; row < scores.size(); ++row)
        scores[row] = addresses[row] == 0 ? 0 : sets.size(row);
    return scores;
}

std::vector<Baseline> baselines_of(Ledger& ledger) {
    // One account alone on its token is no evidence.
    const auto without_ones = [](std::vector<double> scores) {
        for (double& s : scores) s = s > 1 ? s : 0;
        return scores;
    };
    std::vector<Baseline> out;
    out.push_back(
        {"accounts_per_address", without_ones(accounts_per_token(ledger, Channel::address))});
    out.push_back({"accounts_per_address_and_ja4",
                   without_ones(accounts_per_token(ledger, Channel::address_stack))});
    out.push_back({"organisations_per_address", without_ones(organisations_per_address(ledger))});
    out.push_back({"shared_address_components", without_ones(shared_address_components(ledger))});
    out.push_back({"stack_block_list_oracle", stack_block_list_oracle(ledger)});
    out.push_back({"address_set_jaccard", without_ones(address_set_jaccard(ledger))});
    out.push_back({"proxy_score", proxy_score(ledger)});
    out.push_back({"dense_subgraph", dense_subgraph(ledger)});
    out.push_back({"communities", communities(ledger)});
    return out;
}

}  // namespace seine::evaluate
