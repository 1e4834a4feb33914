// A rule set with the mistakes that were found in it.
#pragma once
#include "dataplane/signature/place.h"
#include "dataplane/signature/rule.h"

namespace seine::signature {

// Every mistake found is in `problems`, with file, line and column; the set is for use only when there
// is none.
struct LoadedRules {
    RuleSet set;
    Problems problems;
};

}  // namespace seine::signature
