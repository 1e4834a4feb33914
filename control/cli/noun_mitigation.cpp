// `seinectl mitigation`: what is done about farms.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kMitigationNoun = {.name = "mitigation", .meaning = "what is done about farms"};

}  // namespace seine::cli
