// `seinectl fingerprint learn`: a capture's fingerprints into control's dictionary.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

Status learn_fingerprints(const Invocation& invocation, const Write& write);

}  // namespace seine::cli
