// Rules tried on sums of values: exact over one field, bounded over several.
#include "control/signature/value_trial.h"

#include <gtest/gtest.h>

#include "dataplane/signature/rule_file.h"

namespace {

using namespace seine;
using control_signature::CountedValue;
using control_signature::ValueHits;
using control_signature::ValueTrial;

constexpr char kHead[] = R"([pack]
name = "t"
title = "t"
version = 1
)";

std::string rule(const std::string& id, const std::string& condition, const std::string& more = {}) {
    return "[[rule]]\nid = \"" + id + "\"\ntitle = \"t\"\nclass = \"policy\"\nsource = \"t\"\n" + more + condition +
           "\n[[rule.match]]\ntls.ja4 = \"a\"\n[[rule.no_match]]\ntls.ja4 = \"z\"\n";
}

std::unique_ptr<ValueTrial> trial_of(const std::string& rules) {
    signature::LoadedRules loaded = signature::read_rules_text("t.toml", kHead + rules, "");
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    auto made = ValueTrial::make(std::move(loaded.set));
    EXPECT_TRUE(made);
    return std::move(*made);
}

CountedValue value(const char* field, const char* text, std::uint64_t flows, std::uint64_t accounts) {
    return {field, text, flows, accounts, {}};
}

TEST(ValueTrial, ARuleOverOneFieldIsExact) {
    auto trial = trial_of(rule("equal", "field = \"tls.ja4\"\nequals = [\"a\", \"b\"]") +
                          rule("begins", "field = \"tls.ja4\"\nprefix = \"a\"") +
                          rule("not", "not = { field = \"tls.ja4\", prefix = \"a\" }\n") +
                          rule("off", "field = \"tls.ja4\"\nequals = \"a\"", "state = \"disabled\"\n"));
    EXPECT_EQ(trial->fields(), std::set<std::string>{"ja4"});
    trial->add(value("ja4", "a", 10, 3));
    trial->add(value("ja4", "ab", 5, 2));
    trial->add(value("ja4", "b", 1, 1));
    trial->add(value("sni", "a", 100, 100));
    const auto out = trial->outcome();
    EXPECT_EQ(out.count("off"), 0u);
    EXPECT_EQ(out.at("equal").flows, 11u);
    EXPECT_EQ(out.at("equal").accounts, 4u);
    EXPECT_EQ(out.at("begins").flows, 15u);
    EXPECT_EQ(out.at("not").flows, 1u);
    ASSERT_EQ(out.at("begins").hits.size(), 2u);
    EXPECT_EQ(out.at("begins").hits[0].value, "a");
    for (const auto& [id, hits] : out) EXPECT_EQ(hits.by, ValueHits::By::values) << id;
}

TEST(ValueTrial, ARuleOverSeveralFieldsIsBoundedByItsRarestValue) {
    auto trial = trial_of(rule("all", "[[rule.all]]\nfield = \"tls.ja4\"\nequals = \"a\"\n"
                                      "[[rule.all]]\nfield = \"http.user_agent\"\nprefix = \"curl\"") +
                          rule("scoped", "field = \"tls.ja4\"\nequals = \"a\"", "scope = { ports = [443] }\n"));
    trial->add(value("ja4", "a", 10, 3));
    trial->add(value("user_agent", "curl/8", 4, 4));
    trial->add(value("user_agent", "curl/7", 2, 1));
    trial->add(value("user_agent", "else", 50, 1));
    const auto out = trial->outcome();
    EXPECT_EQ(out.at("all").by, ValueHits::By::bound);
    EXPECT_EQ(out.at("all").flows, 6u);
    EXPECT_EQ(out.at("all").accounts, 3u);
    EXPECT_EQ(out.at("scoped").by, ValueHits::By::bound);
    EXPECT_EQ(out.at("scoped").flows, 10u);
    for (std::size_t i = 0; i < trial->set().rules.size(); ++i) EXPECT_TRUE(trial->needs_flows(i));
}

TEST(ValueTrial, WhatIsNotKeptIsNotGuessed) {
    auto trial = trial_of(rule("ports", "field = \"dst_port\"\nequals = \"8443\"") +
                          rule("not", "[[rule.all]]\nfield = \"dst_port\"\nequals = \"1\"\n"
                                      "[[rule.all]]\nnot = { field = \"tls.ja4\", equals = \"b\" }"));
    trial->add(value("ja4", "a", 10, 3));
    const auto out = trial->outcome();
    EXPECT_EQ(out.at("ports").by, ValueHits::By::nothing_kept);
    EXPECT_EQ(out.at("ports").flows, 0u);
    EXPECT_EQ(out.at("not").by, ValueHits::By::nothing_kept);
}

}  // namespace
