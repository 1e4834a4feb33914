// All levels against the targets of the product, in one table of Markdown.
#pragma once
#include <string>
#include <vector>

#include "tools/evaluate/report.h"

namespace seine::evaluate {

// A column a level, a row a metric: median and worst over the seeds, and whether the median holds
// the target; the baselines below it, at the detector's own number of false positives.
std::string target_table(const std::vector<Run>& runs);

}  // namespace seine::evaluate
