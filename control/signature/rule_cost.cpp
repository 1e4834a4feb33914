#include "control/signature/rule_cost.h"

#include <algorithm>
#include <cstdio>

#include "control/signature/ordinary_values.h"
#include "control/signature/stopwatch.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/matcher.h"

namespace seine::control_signature {
namespace {

using signature::Condition;
using signature::Leaf;
using signature::Op;
using signature::RuleSet;

constexpr int kPatternTimes = 200;
// What an ordinary pattern costs: the set's median, but within these bounds, so that a set of cheap ones makes none of
// them dear, and a few dear ones are not their own measure.
struct Bounds {
    double least;
    double most;
};
constexpr Bounds kBytes = {3200, 8192};
constexpr Bounds kNanoseconds = {40, 120};
constexpr Bounds kBodyNanoseconds = {1500, 4000};

// Words of a prompt as JSON carries it, as many as a body that is looked at may have.
std::string ordinary_body() {
    std::string out = R"({"model":"m","messages":[{"role":"user","content":")";
    while (out.size() < signature::kBodyBytesMax)
        out += "please summarise the following report for the board and keep the figures as they are, ";
    out.resize(signature::kBodyBytesMax);
    return out;
}

// By a set that has this comparison alone. A body's is measured as a text of its length: the patterns are the same.
PatternCost cost_of(const Leaf& leaf, std::string_view body) {
    RuleSet set;
    set.leaves.push_back(leaf);
    set.leaves[0].field = {signature::Field::http_user_agent, {}};
    signature::Rule& rule = set.rules.emplace_back();
    rule.id = "one";
    rule.condition.op = Op::leaf;
    signature::Problems problems;
    signature::CompiledRules compiled = compile(set, problems);
    PatternCost out;
    if (!problems.empty()) return out;
    out.database_bytes = compiled.slots[0].database.size();
    out.confirmed = !compiled.facts[0].confirms.empty();
    signature::Generation::Limits limits;
    limits.sources_max = 1;
    limits.remember = false;
    const auto made = signature::Generation::make(std::move(compiled), limits);
    if (!made) return out;
    signature::Matcher matcher(0);
    matcher.adopt(made->get());
    const std::string_view value = is_body(leaf.field.field) ? body : ordinary_value(leaf.field.field);
    signature::MatchState state;
    const double base = nanoseconds_within_a_millisecond(kPatternTimes, [&] { matcher.begin(state); });
    out.nanoseconds = std::max(0.0, nanoseconds_within_a_millisecond(kPatternTimes, [&] {
                                        matcher.begin(state);
                                        matcher.feed(signature::Field::http_user_agent, value);
                                    }) - base);
    return out;
}

double ordinary(std::vector<double> values, const Bounds& bounds) {
    if (values.empty()) return bounds.least;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return std::clamp(values[values.size() / 2], bounds.least, bounds.most);
}

// By leaf: the rule that asks for it, the first one; nullptr: no rule that is not disabled.
using Askers = std::vector<const signature::Rule*>;

void ask(const Condition& condition, const signature::Rule& rule, Askers& out) {
    if (condition.op == Op::leaf && out[condition.leaf] == nullptr) out[condition.leaf] = &rule;
    for (const Condition& part : condition.parts) ask(part, rule, out);
}
Askers askers_of(const RuleSet& set) {
    Askers out(set.leaves.size());
    for (const signature::Rule& rule : set.rules)
        if (rule.state != signature::State::disabled) ask(rule.condition, rule, out);
    return out;
}

}  // namespace

std::vector<PatternCost> costs_of_patterns(const RuleSet& set, const std::function<void(std::size_t)>& measured) {
    std::vector<PatternCost> out;
    std::vector<double> bytes;
    std::vector<double> times[2];  // of ordinary fields, of bodies
    const std::string body = ordinary_body();
    const Askers askers = askers_of(set);
    for (std::uint32_t i = 0; i < set.leaves.size(); ++i) {
        const Leaf& leaf = set.leaves[i];
        if (leaf.kind != signature::MatchKind::pattern || askers[i] == nullptr) continue;
        PatternCost& one = out.emplace_back(cost_of(leaf, body));
        one.leaf = i;
        one.rule = askers[i]->id;
        bytes.push_back(static_cast<double>(one.database_bytes));
        times[is_body(leaf.field.field) ? 1 : 0].push_back(one.nanoseconds);
        if (measured) measured(out.size());
    }
    const double typical_bytes = ordinary(bytes, kBytes);
    const double typical_ns[2] = {ordinary(times[0], kNanoseconds), ordinary(times[1], kBodyNanoseconds)};
    for (PatternCost& one : out)
        one.times = std::max(static_cast<double>(one.database_bytes) / typical_bytes,
                             one.nanoseconds / typical_ns[is_body(set.leaves[one.leaf].field.field) ? 1 : 0]);
    std::stable_sort(out.begin(), out.end(), [](const PatternCost& a, const PatternCost& b) { return a.times > b.times; });
    return out;
}

void name_dear_rules(const RuleSet& set, const std::vector<PatternCost>& costs, double times, signature::Problems& dear) {
    for (const PatternCost& cost : costs) {
        if (cost.times <= times) return;
        char text[384];
        std::snprintf(text, sizeof text,
                      "this pattern costs %.0f times what an ordinary one does (a database of %zu bytes, %.0f ns a value; "
                      "the limit is %.0f times); shorten its repeats or anchor it; "
                      "a list of words belongs into a file (list = ..)",
                      cost.times, cost.database_bytes, cost.nanoseconds, times);
        dear.add(set.leaves[cost.leaf].place, "rule `" + cost.rule + "`: " + text);
    }
}

void name_confirmed_patterns(const RuleSet& set, const std::vector<PatternCost>& costs, signature::Problems& remarks) {
    for (const PatternCost& cost : costs)
        if (cost.confirmed)
            remarks.add(set.leaves[cost.leaf].place,
                        "rule `" + cost.rule +
                            "`: a pattern that Hyperscan can only suspect (look-around or back-reference): PCRE2 confirms each "
                            "suspicion; say it with not = {..} or several comparisons if you can");
}

}  // namespace seine::control_signature
