#include "dataplane/signature/rule.h"

namespace seine::signature {

std::string_view name_of(Severity severity) noexcept {
    constexpr std::string_view kNames[] = {"info", "low", "medium", "high", "critical"};
    return kNames[static_cast<unsigned>(severity)];
}

std::string_view name_of(State state) noexcept {
    constexpr std::string_view kNames[] = {"enabled", "shadow", "disabled"};
    return kNames[static_cast<unsigned>(state)];
}

std::string_view name_of(MatchKind kind) noexcept {
    constexpr std::string_view kNames[] = {"pattern",  "equals", "prefix", "suffix",
                                           "contains", "glob",   "list"};
    return kNames[static_cast<unsigned>(kind)];
}

Groups groups_of(const RuleSet& set, const Condition& condition) {
    if (condition.op == Op::leaf) return bit(info(set.leaves[condition.leaf].field.field).group);
    if (condition.op == Op::present || condition.op == Op::absent)
        return bit(info(condition.field.field).group);
    Groups out = 0;
    for (const Condition& part : condition.parts) out |= groups_of(set, part);
    return out;
}

// Clear-text requests and a TLS hello are never on one flow: only the join of accounts brings them
// together.
RunsIn runs_in(const RuleSet& set, const Rule& rule) {
    const Groups groups = groups_of(set, rule.condition);
    const Groups clear = bit(Group::http) | bit(Group::http_headers) | bit(Group::http2) |
                         bit(Group::body) | bit(Group::response_body);
    const Groups wire = bit(Group::tls_client) | bit(Group::tls_server) | bit(Group::certificate);
    return (groups & clear) != 0 && (groups & wire) != 0 ? RunsIn::control : RunsIn::dataplane;
}

}  // namespace seine::signature
