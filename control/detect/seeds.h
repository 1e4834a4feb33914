// Where a farm may be: groups of accounts that cells, shared sessions or twins tie together.
#pragma once
#include <cstdint>
#include <vector>

#include "control/detect/cells.h"
#include "control/detect/profile.h"

namespace seine::detect {

// Rows of each group, rising; groups by size, largest first. `sparse`: too few accounts were seen
// for populations to mean anything, so only shared sessions, crowded addresses and twins count.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> find_seeds(const Population& population,
                                                                 const Cells& cells,
                                                                 const TwinGraph& twins,
                                                                 bool sparse);

// Members of the two-core of the twin graph: every one has twins with two others of the core, which
// chance pairs do not form. Components, each rising.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> twin_cores(const Population& population,
                                                                 const TwinGraph& twins);

}  // namespace seine::detect
