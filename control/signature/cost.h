// What a set costs on this machine: per field, and the rules that are out of line.
#pragma once
#include <string>
#include <vector>

#include "dataplane/signature/generation.h"
#include "dataplane/signature/place.h"
#include "dataplane/signature/rule.h"

namespace seine::control_signature {

struct FieldCost {
    std::string field;
    std::size_t comparisons = 0;
    std::size_t database_bytes = 0;
    double nanoseconds = 0;  // of one ordinary value
};

struct SetCost {
    std::vector<FieldCost> fields;   // dearest first
    double hello_nanoseconds = 0;    // all values of an ordinary ClientHello, rules included
    double request_nanoseconds = 0;  // all values of an ordinary request head
    std::size_t database_bytes = 0;
};

// Measures with the matcher of the packet path over ordinary values; takes about a second.
SetCost cost_of_set(const signature::Generation& generation);

// Comparisons whose databases are much larger than those of the others, and those that PCRE2 must
// confirm.
void remark_costs(const signature::RuleSet& set, signature::Problems& remarks);

}  // namespace seine::control_signature
