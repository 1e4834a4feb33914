// One infrastructure, several operators: splits the members of a farm into campaigns.
//
// A pool repeats failed requests and shares sessions inside one campaign only. Components of that
// graph are cores; the rest of the members go to the core whose profile they fit best.
#pragma once
#include <cstdint>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

// A part number for each of `members` (rising rows), parts by size; one part where nothing tells.
[[nodiscard]] std::vector<std::uint32_t> split_campaigns(const Population& population,
                                                         const TwinGraph& twins,
                                                         const std::vector<std::uint32_t>& members);

}  // namespace seine::detect
