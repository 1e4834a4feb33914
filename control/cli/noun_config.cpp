// `seinectl config`: revisions of what can be tuned.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kConfigNoun = {.name = "config", .meaning = "revisions of what can be tuned"};

}  // namespace seine::cli
