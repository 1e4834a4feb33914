// What a rule set must show before it is used: its examples hold, and no pattern explodes.
#pragma once
#include "dataplane/signature/evaluate.h"
#include "dataplane/signature/place.h"

namespace seine::signature {

struct CheckCounts {
    std::size_t rules = 0;
    std::size_t examples = 0;
    std::size_t failed = 0;
};

// Runs every example of every rule; one that fails is a problem at its place, with what was found instead.
CheckCounts check_examples(const Evaluator& evaluator, Problems& problems);

// Searches texts made to be hard (long runs of what the pattern itself looks for); a pattern that gives up
// is a problem.
void check_explosions(const RuleSet& set, Problems& problems);

}  // namespace seine::signature
