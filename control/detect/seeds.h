// Where a farm may be: groups of accounts that cells, shared sessions or twins tie together.
#pragma once
#include <cstdint>
#include <vector>

#include "control/detect/cells.h"
#include "control/detect/profile.h"

namespace seine::detect {

struct Seed {
    std::vector<std::uint32_t> rows;  // rising
    bool pool = false;                // tied by twins: who is of another farm is not of this one
};

// Groups by size, largest first, then pools of twins, then blocks of addresses. `sparse`: too few
// accounts were seen for populations to mean anything, so only shared sessions, crowded addresses
// and twins count.
[[nodiscard]] std::vector<Seed> find_seeds(const Population& population, const Cells& cells,
                                           const TwinGraph& twins, bool sparse);

// Accounts with twins. A component that twins dealt to all of them alike would not make is a pool of
// its own; all others together are one more, the last. Each rising.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> twin_pools(const Population& population,
                                                                 const TwinGraph& twins);

}  // namespace seine::detect
