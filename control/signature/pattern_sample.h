// A text that a pattern matches, for the example that every rule needs.
#pragma once
#include <string>
#include <string_view>

namespace seine::control_signature {

// Walks literals, classes, groups, alternatives (the first) and repeats (the fewest). What it does
// not understand makes a text that does not match: the caller tries it.
std::string sample_of(std::string_view pattern);

}  // namespace seine::control_signature
