// What can be said of a rule folder without any daemon: its examples, its mistakes.
#pragma once
#include <string>

#include "control/signature/rule_cost.h"
#include "dataplane/base/status.h"

namespace seine::cli {

Status test_rules(const std::string& folder, bool json, std::string& out);
// A rule that costs more than so many times what an ordinary one does is named; `refused`: and a mistake.
struct CostLimit {
    double times = control_signature::kTimesRemarked;
    bool refused = false;
};
// "12": more than twelve times. usage: not a number of at least 1.
Result<CostLimit> cost_limit_of(const std::string& typed);
// What every pattern costs; says on stderr how far it is.
std::vector<control_signature::PatternCost> measured_costs(const signature::RuleSet& set);
Status lint_rules(const std::string& folder, const CostLimit& limit, bool json, std::string& out);
// A row of markdown per field, as signatures/README.md has them; or a JSON array.
std::string fields_table(bool json);

}  // namespace seine::cli
