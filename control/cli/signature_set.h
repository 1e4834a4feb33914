// The rule sets of a running dataplane: pushing, taking back, and looking at them.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

Status push_rules(const Invocation& invocation, const Write& write);
Status confirm_rules(const Invocation& invocation, const Write& write);
Status roll_back_rules(const Invocation& invocation, const Write& write);
Status enable_rule(const Invocation& invocation, const Write& write);
Status disable_rule(const Invocation& invocation, const Write& write);
Status shadow_rule(const Invocation& invocation, const Write& write);

Status list_rules(const Invocation& invocation, const Write& write);
Status show_rule(const Invocation& invocation, const Write& write);
Status show_versions(const Invocation& invocation, const Write& write);
Status show_difference(const Invocation& invocation, const Write& write);
Status show_rule_stats(const Invocation& invocation, const Write& write);
Status export_rules(const Invocation& invocation, const Write& write);

}  // namespace seine::cli
