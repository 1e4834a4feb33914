// `seinectl alert`: what was found.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kAlertNoun = {.name = "alert", .meaning = "what was found"};

}  // namespace seine::cli
