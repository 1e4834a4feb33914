// The file of --result: what a detector says, one account a line.
#pragma once
#include <string>
#include <vector>

#include "tools/evaluate/metrics.h"

namespace seine::evaluate {

// `{"account","score_nats","alerted","first_alert_ns","farm"}` for every account that has a score
// or an alert, in the order of the truth.
Status write_result(const std::string& path, const std::vector<Verdict>& verdicts,
                    const WorldTruth& truth);
// Fails on a line that is not such an object and on an account that the world does not have.
Result<std::vector<Verdict>> read_result(const std::string& path, const WorldTruth& truth);

}  // namespace seine::evaluate
