// `seinectl signature ..`: its own small table of verbs, options and arguments.
#pragma once
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::cli {

// `words` follow the noun. What goes to stdout is in `out`, also when the status is a failure: a report of
// what is wrong is an answer.
Status signature_command(const std::vector<std::string>& words, std::string& out);

}  // namespace seine::cli
