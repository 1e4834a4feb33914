// `seinectl fingerprint`: who has a fingerprint, and what it is known as.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kFingerprintNoun = {.name = "fingerprint", .meaning = "who has a fingerprint, and what it is known as"};

}  // namespace seine::cli
