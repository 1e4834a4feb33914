// `seinectl signature try --days N`: what a rule set would have hit in what control keeps.
#pragma once
#include <string>

#include "control/cli/noun.h"

namespace seine::cli {

// `folder` holds the rules, `against` those to compare with; empty: none.
Status try_on_store(const Invocation& invocation, const std::string& folder, const std::string& against, const Write& write);

}  // namespace seine::cli
