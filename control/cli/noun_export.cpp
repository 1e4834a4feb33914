// `seinectl export`: what is sent where.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kExportNoun = {.name = "export", .meaning = "what is sent where"};

}  // namespace seine::cli
