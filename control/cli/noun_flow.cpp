// `seinectl flow`: flows seen and their fingerprints.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kFlowNoun = {.name = "flow", .meaning = "flows seen and their fingerprints"};

}  // namespace seine::cli
