// `seinectl status` of control on one screen.
#pragma once
#include <string>

#include "control/cli/noun.h"

namespace seine::cli {

// Parts that are not there are left out, so documents of other versions show what they have.
std::string status_screen(const command::JsonValue& status, const Invocation& invocation);

}  // namespace seine::cli
