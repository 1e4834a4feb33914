// The detectors that Seine has to beat at equal realised false positives (detection.md 10.2).
#pragma once
#include <string>
#include <vector>

#include "tools/evaluate/ledger.h"

namespace seine::evaluate {

struct Baseline {
    std::string name;
    std::vector<double> scores;  // by row of the truth; 0 or less: no evidence at all
};

// accounts_per_address, accounts_per_address_and_ja4, organisations_per_address,
// shared_address_components, stack_block_list_oracle, address_set_jaccard, proxy_score,
// dense_subgraph, communities. The oracle is the only one that is shown the labels.
std::vector<Baseline> baselines_of(Ledger& ledger);

// Their parts, for tests. Scores of 1 mean one account alone and are stripped by baselines_of().
std::vector<double> accounts_per_token(Ledger& ledger, Channel channel);
std::vector<double> organisations_per_address(Ledger& ledger);
std::vector<double> shared_address_components(Ledger& ledger);
std::vector<double> stack_block_list_oracle(Ledger& ledger);
std::vector<double> proxy_score(const Ledger& ledger);
// Accounts whose address sets overlap (two addresses at least, Jaccard 0.3), chained; the score is
// the size of the chain. Addresses of more than 200 accounts say nothing and are left out.
std::vector<double> address_set_jaccard(Ledger& ledger);
// Greedy peeling of the account x token graph, an edge of a token with d accounts weighs 1/ln(d +
// 5); the score is the greatest weight per node of a remainder that the account was still in.
std::vector<double> dense_subgraph(Ledger& ledger);
// Communities of the account graph (tokens of 2 to 64 accounts, weight 1/ln(d + 5)) by greedy
// modularity in one pass of moves; the score is weight inside the community per member times
// ln(size).
std::vector<double> communities(Ledger& ledger);

}  // namespace seine::evaluate
