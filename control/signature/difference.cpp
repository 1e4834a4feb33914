#include "control/signature/difference.h"

#include <map>

namespace seine::control_signature {
namespace {

using signature::Condition;
using signature::Op;
using signature::Rule;
using signature::RuleSet;

std::string scope_text(const signature::Scope& scope) {
    std::string out;
    for (const auto& range : scope.ports)
        out += std::to_string(range.first) + "-" + std::to_string(range.last) + " ";
    for (const auto& network : scope.networks) {
        for (const std::uint8_t byte : network.address) out += std::to_string(byte) + ".";
        out += "/" + std::to_string(network.bits) + " ";
    }
    for (const auto& server : scope.servers) out += server + " ";
    return out;
}

std::string rate_text(const signature::Rate& rate) {
    return std::to_string(rate.count) + "/" + std::to_string(rate.seconds) + "s";
}

void compare(std::vector<std::string>& parts, const char* what, const std::string& before,
             const std::string& after, bool show = true) {
    if (before == after) return;
    parts.push_back(show ? std::string(what) + " " + before + " -> " + after : std::string(what));
}

std::vector<std::string> parts_of(const RuleSet& old_set, const Rule& old_rule,
                                  const RuleSet& new_set, const Rule& new_rule) {
    std::vector<std::string> out;
    compare(out, "version", std::to_string(old_rule.version), std::to_string(new_rule.version));
    compare(out, "state", std::string(name_of(old_rule.state)),
            std::string(name_of(new_rule.state)));
    compare(out, "severity", std::string(name_of(old_rule.severity)),
            std::string(name_of(new_rule.severity)));
    compare(out, "confidence", std::to_string(old_rule.confidence),
            std::to_string(new_rule.confidence));
    compare(out, "class", old_rule.rule_class, new_rule.rule_class);
    compare(out, "title", old_rule.title, new_rule.title, false);
    compare(out, "condition", condition_text(old_set, old_rule.condition),
            condition_text(new_set, new_rule.condition), false);
    compare(out, "scope", scope_text(old_rule.scope), scope_text(new_rule.scope), false);
    compare(out, "per_rule", rate_text(old_rule.per_rule), rate_text(new_rule.per_rule));
    compare(out, "per_source", rate_text(old_rule.per_source), rate_text(new_rule.per_source));
    return out;
}

std::map<std::string, const Rule*> by_id(const RuleSet& set) {
    std::map<std::string, const Rule*> out;
    for (const Rule& rule : set.rules) out.emplace(rule.id, &rule);
    return out;
}

}  // namespace

std::string_view name_of(RuleChange::Kind kind) noexcept {
    constexpr std::string_view kNames[] = {"added", "removed", "changed"};
    return kNames[static_cast<unsigned>(kind)];
}

std::string condition_text(const RuleSet& set, const Condition& condition, unsigned depth) {
    const std::string indent(std::size_t{2} * depth, ' ');
    switch (condition.op) {
        case Op::leaf: {
            const signature::Leaf& leaf = set.leaves[condition.leaf];
            std::string out =
                indent + signature::name_of(leaf.field) + " " + std::string(name_of(leaf.kind));
            if (leaf.nocase) out += " (any case)";
            if (leaf.kind == signature::MatchKind::list) {
                const auto& list = *set.lists[leaf.list];
                out += " " + list.path().substr(list.path().rfind('/') + 1) + " (" +
                       std::to_string(list.size()) + " entries)";
            }
            for (const std::string& value : leaf.values) out += " `" + value + "`";
            return out + "\n";
        }
        case Op::present:
            return indent + signature::name_of(condition.field) + " is there\n";
        case Op::absent:
            return indent + signature::name_of(condition.field) + " is not there\n";
        case Op::all:
        case Op::any:
        case Op::not_:
            break;
    }
    std::string out = indent +
                      (condition.op == Op::all   ? "all of"
                       : condition.op == Op::any ? "any of"
                                                 : "not") +
                      "\n";
    for (const Condition& part : condition.parts) out += condition_text(set, part, depth + 1);
    return out;
}

std::vector<RuleChange> difference(const RuleSet& before, const RuleSet& after) {
    const auto old_rules = by_id(before);
    const auto new_rules = by_id(after);
    std::map<std::string, RuleChange> changes;
    for (const auto& [id, rule] : old_rules)
        if (new_rules.find(id) == new_rules.end())
            changes[id] = {RuleChange::Kind::removed, id, {}};
    for (const auto& [id, rule] : new_rules) {
        const auto old_rule = old_rules.find(id);
        if (old_rule == old_rules.end()) {
            changes[id] = {RuleChange::Kind::added, id, {}};
            continue;
        }
        auto parts = parts_of(before, *old_rule->second, after, *rule);
        if (!parts.empty()) changes[id] = {RuleChange::Kind::changed, id, std::move(parts)};
    }
    std::vector<RuleChange> out;
    for (auto& [id, change] : changes) out.push_back(std::move(change));
    return out;
}

}  // namespace seine::control_signature
