// A rule that costs much more than the others of its set is found, named with its place, and told what to do.
#include "control/signature/rule_cost.h"

#include <gtest/gtest.h>

#include "dataplane/signature/rule_file.h"

namespace seine::control_signature {
namespace {

std::string simple(const std::string& id, const std::string& field, const std::string& pattern) {
    return "[[rule]]\nid = \"" + id + "\"\ntitle = \"t\"\nclass = \"policy\"\nfield = \"" + field + "\"\npattern = '" + pattern +
           "'\n[[rule.match]]\n" + field + " = \"x\"\n[[rule.no_match]]\n" + field + " = \"y\"\n";
}

signature::RuleSet set_of(const std::string& text) {
    signature::LoadedRules loaded = signature::read_rules_text("rules.toml", text, "");
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    return std::move(loaded.set);
}

const std::string kPlain = simple("one", "http.user_agent", "^curl/[0-9]") + simple("two", "http.user_agent", "^wget/[0-9]") +
                           simple("three", "http.path", "^/v1/models$") + simple("four", "tls.sni", "example[.]org$") +
                           simple("five", "http.body", "ignore previous instructions");

// Four hundred words, none like another: what belongs into a list.
std::string many_words() {
    std::string out = "(";
    std::uint32_t drawn = 1;
    for (int i = 0; i < 400; ++i) {
        if (i > 0) out += '|';
        for (int j = 0; j < 7; ++j) {
            drawn = drawn * 1664525 + 1013904223;
            out += static_cast<char>('a' + (drawn >> 24) % 26);
        }
    }
    return out + ")[0-9]{3}";
}

TEST(RuleCost, ASetOfPlainPatternsHasNoneOutOfLine) {
    const signature::RuleSet set = set_of(kPlain);
    const auto costs = costs_of_patterns(set);
    ASSERT_EQ(costs.size(), 5u);
    for (const PatternCost& cost : costs) EXPECT_GT(cost.database_bytes, 0u);
    signature::Problems dear;
    name_dear_rules(set, costs, kTimesRemarked, dear);
    EXPECT_TRUE(dear.empty()) << dear.lines();
}

TEST(RuleCost, ThePatternOutOfLineIsNamedWithItsPlaceAndTheRemedy) {
    const signature::RuleSet set = set_of(kPlain + simple("dear", "http.path", many_words()));
    const auto costs = costs_of_patterns(set);
    EXPECT_GT(costs.front().times, kTimesRemarked);
    signature::Problems dear;
    name_dear_rules(set, costs, kTimesRemarked, dear);
    ASSERT_EQ(dear.kept().size(), 1u) << dear.lines();
    const std::string line = dear.lines();
    EXPECT_NE(line.find("rules.toml:"), std::string::npos) << line;
    EXPECT_NE(line.find("rule `dear`"), std::string::npos) << line;
    EXPECT_NE(line.find("a list of words belongs into a file"), std::string::npos) << line;
    EXPECT_GT(dear.kept()[0].place.line, 40u);
    signature::Problems none;
    name_dear_rules(set, costs, 1e6, none);
    EXPECT_TRUE(none.empty());
}

TEST(RuleCost, WhatPcre2MustConfirmIsNamed) {
    const signature::RuleSet set = set_of(kPlain + simple("back", "http.path", "^/(a|b)/\\1$"));
    signature::Problems remarks;
    name_confirmed_patterns(set, costs_of_patterns(set), remarks);
    ASSERT_EQ(remarks.kept().size(), 1u);
    EXPECT_NE(remarks.lines().find("rule `back`"), std::string::npos) << remarks.lines();
}

}  // namespace
}  // namespace seine::control_signature
