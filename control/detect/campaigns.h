// One infrastructure, several operators: splits the members of a farm into campaigns.
//
// A farm is cut in two, and each half again, as long as a cut holds:
//  - the failover twins and shared sessions across it are those of chance, where one pool of these
//    accounts would have made several (a pool repeats requests inside one campaign only), or there
//    are too few ties to tell and the halves use other clients and other days of sign-up;
//  - each half explains the clients and request sizes of its accounts better than the whole does,
//    every account judged by the others.
// Days of sign-up bring accounts together but never justify a cut: one operator signs up in batches.
// Where cuts are looked for, and what that costs: cutter.h.
#pragma once
#include <cstdint>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

struct Split {
    std::vector<std::uint32_t> part;  // of each member; parts by size, one where nothing tells
    std::uint64_t looks = 0;          // how often a member was weighed: what it cost (cutter.h)
};

// `members`: rows that rise.
[[nodiscard]] Split split_campaigns(const Population& population, const TwinGraph& twins,
                                    const TwinGraph& chance,
                                    const std::vector<std::uint32_t>& members);

}  // namespace seine::detect
