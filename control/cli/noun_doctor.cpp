// `seinectl doctor`: what this machine needs.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kDoctorNoun = {.name = "doctor", .meaning = "what this machine needs"};

}  // namespace seine::cli
