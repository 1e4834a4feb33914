#include "dataplane/signature/check.h"

#include "dataplane/signature/leaf_pattern.h"

namespace seine::signature {
namespace {

// Why a condition that should have held does not, as far as one sentence can say.
std::string why_not(const Evaluator& evaluator, const Rule& rule, const Subject& subject) {
    if (in_scope(rule.scope, subject) != Tri::yes)
        return "the rule's scope does not take it: give the example dst_port, src, or a server name that fits";
    if (evaluator.evaluate(rule.condition, subject) == Tri::unknown)
        return "a field the condition needs is not in the example";
    return "the condition does not hold; correct the example, or widen the condition";
}

// Values of what the pattern may be looking for: its own letters, repeated.
std::vector<std::string> hard_texts(std::string_view pattern) {
    std::string letters;
    for (const char c : pattern)
        if (static_cast<unsigned char>(c) >= 0x20 && letters.find(c) == std::string::npos &&
                letters.size() < 24) letters.push_back(c);
    for (const char c : std::string_view("a0 ")) letters.push_back(c);
    std::vector<std::string> out;
    for (const char c : letters) out.push_back(std::string(kBodyBytesMax - 1, c) + '\x01');
    std::string mixed;
    while (mixed.size() + letters.size() < kBodyBytesMax) mixed += letters;
    out.push_back(mixed + '\x01');
    return out;
}

}  // namespace

CheckCounts check_examples(const Evaluator& evaluator, Problems& problems) {
    CheckCounts counts;
    for (const Rule& rule : evaluator.set().rules) {
        ++counts.rules;
        for (const Example& example : rule.examples) {
            ++counts.examples;
            Subject subject;
            for (const ExampleValue& value : example.values) subject.add(value.field, value.value);
            const bool matched = evaluator.evaluate(rule, subject) == Tri::yes;
            if (matched == example.must_match) continue;
            ++counts.failed;
            problems.add(example.place,
                         "rule `" + rule.id + "`: this example " +
                             (example.must_match ? "must match and does not: " + why_not(evaluator, rule, subject)
                                                 : std::string("must not match and does; make the rule narrower")));
        }
    }
    return counts;
}

void check_explosions(const RuleSet& set, Problems& problems) {
    for (const Leaf& leaf : set.leaves) {
        if (leaf.kind != MatchKind::pattern) continue;
        for (const std::string& value : leaf.values) {
            const auto regex = Regex::compile(value, nocase_of(leaf));
            if (!regex) continue;  // told by the reader
            for (const std::string& text : hard_texts(value)) {
                if (regex->search(text) != RegexAnswer::gave_up) continue;
                problems.add(leaf.place, "the pattern explodes: " + std::to_string(Regex::kStepsMax) +
                                             " steps do not suffice for a value of 4 KiB; write it without nested repeats");
                break;
            }
        }
    }
}

}  // namespace seine::signature
