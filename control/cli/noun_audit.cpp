// `seinectl audit`: who changed what and when.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kAuditNoun = {.name = "audit", .meaning = "who changed what and when"};

}  // namespace seine::cli
