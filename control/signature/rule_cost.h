// Rules whose patterns cost far more than an ordinary one: named, or refused past a limit.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "dataplane/signature/place.h"
#include "dataplane/signature/rule.h"

namespace seine::control_signature {

// What one pattern costs by itself, on this machine.
struct PatternCost {
    std::uint32_t leaf = 0;  // index into RuleSet::leaves
    std::string rule;        // the first that asks for it
    std::size_t database_bytes = 0;  // of a database that has it alone
    bool confirmed = false;   // PCRE2 is asked whenever Hyperscan suspects a match
    double nanoseconds = 0;   // of one ordinary value of its field, of a body 4 KiB
    double times = 0;         // how many times an ordinary one, in bytes or in time, whichever is more
};

// All patterns of rules that are not disabled, dearest first. Takes some milliseconds a pattern.
// `measured` hears after each how many are done.
std::vector<PatternCost> costs_of_patterns(const signature::RuleSet& set,
                                           const std::function<void(std::size_t)>& measured = {});

inline constexpr double kTimesRemarked = 10;  // what lint names without being asked

// Adds what is dearer than `times` to `dear`, each with its rule, its place, what it costs and the remedy.
void name_dear_rules(const signature::RuleSet& set, const std::vector<PatternCost>& costs, double times,
                     signature::Problems& dear);
// Patterns that Hyperscan alone cannot decide.
void name_confirmed_patterns(const signature::RuleSet& set, const std::vector<PatternCost>& costs,
                             signature::Problems& remarks);

}  // namespace seine::control_signature
