// What changed from one rule set to another.
#pragma once
#include <string>
#include <vector>

#include "dataplane/signature/rule.h"

namespace seine::control_signature {

struct RuleChange {
    enum class Kind : std::uint8_t { added, removed, changed };
    Kind kind{};
    std::string id;
    std::vector<std::string> parts;  // of changed: "severity low -> high", "condition", "limits" ..
};
std::string_view name_of(RuleChange::Kind kind) noexcept;

// By id, in the order of ids.
std::vector<RuleChange> difference(const signature::RuleSet& before,
                                   const signature::RuleSet& after);

// A rule's condition, one comparison a line, as it is understood (stacks written out).
std::string condition_text(const signature::RuleSet& set, const signature::Condition& condition,
                           unsigned depth = 0);

}  // namespace seine::control_signature
