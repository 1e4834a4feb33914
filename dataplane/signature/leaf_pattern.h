// Each way to compare, written as one pattern that PCRE2 and Hyperscan read alike.
#pragma once
#include <string>

#include "dataplane/signature/rule.h"

namespace seine::signature {

// Not for MatchKind::list. A glob knows `*` (any bytes) and `?` (one byte); both and `\` are escaped by `\`.
std::string pattern_of(MatchKind kind, std::string_view value);
// Names are compared without case; others as the leaf says.
bool nocase_of(const Leaf& leaf) noexcept;

}  // namespace seine::signature
