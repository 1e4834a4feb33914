// What a set costs on this machine: per field, and per header block.
#pragma once
#include <string>
#include <vector>

#include "dataplane/signature/generation.h"

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
    double hello_again_nanoseconds = 0;    // the same when every value came before
    double request_again_nanoseconds = 0;
    std::size_t database_bytes = 0;
};

// Measures with the matcher of the packet path over ordinary values; takes about a second.
// `fresh` is made without remembering values, `again` with it; both of the same rules.
SetCost cost_of_set(const signature::Generation& fresh, const signature::Generation& again);

}  // namespace seine::control_signature
