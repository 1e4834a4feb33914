// Rule files: what is read, and how every mistake is told.
#include "dataplane/signature/rule_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "dataplane/signature/check.h"
#include "dataplane/signature/evaluate.h"

namespace seine::signature {
namespace {

constexpr char kTail[] =
    "[[rule.match]]\nhttp.user_agent = \"curl/8\"\n[[rule.no_match]]\nhttp.user_agent = \"wget\"\n";

std::string rule(const std::string& condition, const std::string& tail = kTail) {
    return "[[rule]]\nid = \"r\"\ntitle = \"t\"\nclass = \"scripting\"\n" + condition + "\n" + tail;
}

// The first problem of `text`, or "" when there is none.
std::string problem(const std::string& text, const std::string& folder = "") {
    const LoadedRules loaded = read_rules_text("f.toml", text, folder);
    return loaded.problems.empty() ? "" : loaded.problems.lines();
}

struct Mistake {
    const char* what;
    std::string text;
    const char* place;
    const char* remedy;
};

TEST(RuleFile, TellsEveryMistakeWithPlaceAndRemedy) {
    const std::string good = "field = \"http.user_agent\"\nprefix = \"curl/\"";
    const Mistake mistakes[] = {
        {"broken TOML", "[[rule]\n", "f.toml:1:", "this is not TOML"},
        {"unknown key", rule(good + "\nseverty = \"low\""), "f.toml:7:1", "severity"},
        {"unknown field", rule("field = \"tls.ja5\"\nequals = \"x\""), "f.toml:5:9",
         "did you mean tls.ja"},
        {"no matcher", rule("field = \"tls.ja4\""), "f.toml:5:9", "exactly one of pattern"},
        {"two matchers", rule(good + "\nequals = \"curl\""), "f.toml:5:9",
         "there is equals, prefix"},
        {"pattern", rule("field = \"tls.ja4\"\npattern = '('"), "f.toml:6:11",
         "does not compile: missing closing parenthesis"},
        {"pattern of nothing", rule("field = \"tls.ja4\"\npattern = 'a*'"), "f.toml:6:11",
         "matches nothing at all"},
        {"long pattern", rule("field = \"tls.ja4\"\npattern = '" + std::string(5000, 'a') + "'"),
         "f.toml:6:11", "4096"},
        {"severity", rule(good + "\nseverity = \"urgent\""), "f.toml:7:12",
         "info, low, medium, high, critical"},
        {"class", "[[rule]]\nid = \"r\"\ntitle = \"t\"\nclass = \"bad\"\n" + good + "\n" + kTail,
         "f.toml:4:9", "scripting"},
        {"confidence", rule(good + "\nconfidence = 101"), "f.toml:7:14", "0 to 100"},
        {"no example", rule(good, ""), "f.toml:1:1", "[[rule.match]]"},
        {"example field", rule(good, std::string(kTail) + "[[rule.match]]\nhttp.agent = \"x\"\n"),
         "f.toml:12:14", "is no field"},
        {"duplicate id", rule(good) + rule(good), "f.toml:11:1", "there already, at f.toml:1:1"},
        {"no stack", rule("mismatch = \"curl\""), "f.toml:5:12", "[[stack]]"},
        {"port", rule(good + "\nscope = { ports = [\"80-\"] }"), "f.toml:7:", "write 443"},
        {"network", rule(good + "\nscope = { networks = [\"10.0.0.1/8\"] }"),
         "f.toml:7:", "zero host bits"},
        {"limit", rule(good + "\nlimit = { per_rule = \"10\" }"), "f.toml:7:22", "600/min"},
        {"nothing to look for", rule(""), "f.toml:1:1", "says nothing to look for"},
        {"list outside", rule("field = \"tls.ja4\"\nlist = \"../x.txt\""), "f.toml:6:8",
         "lies outside"},
    };
    for (const Mistake& mistake : mistakes) {
        const std::string told = problem(mistake.text);
        EXPECT_NE(told.find(mistake.place), std::string::npos) << mistake.what << ": " << told;
        EXPECT_NE(told.find(mistake.remedy), std::string::npos) << mistake.what << ": " << told;
    }
    EXPECT_EQ(problem(rule(good)), "");
}

TEST(RuleFile, NestsNoDeeperThanItsBound) {
    std::string deep = "{ field = \"tls.ja4\", equals = \"x\" }";
    for (int i = 0; i < 12; ++i) deep = "{ not = " + deep + " }";
    EXPECT_NE(problem(rule("not = " + deep)).find("nested deeper"), std::string::npos);
}

TEST(RuleFile, NamesAMissingListWithThePlaceThatAsksForIt) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("seine-rules-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const LoadedRules loaded =
        read_rules_text((folder / "f.toml").string(),
                        rule("field = \"tls.ja4\"\nlist = \"no.txt\""), folder.string());
    EXPECT_NE(loaded.problems.lines().find("f.toml:6:8"), std::string::npos);
    EXPECT_NE(loaded.problems.lines().find("no such list"), std::string::npos);
    std::ofstream(folder / "no.txt") << "# remark\nt13d01_a_b  # why\n";
    const LoadedRules again =
        read_rules_text((folder / "f.toml").string(),
                        rule("field = \"tls.ja4\"\nlist = \"no.txt\""), folder.string());
    EXPECT_TRUE(again.problems.empty()) << again.problems.lines();
    EXPECT_EQ(again.set.lists.at(0)->size(), 1u);
    std::filesystem::remove_all(folder);
}

// Ten million bytes of pattern are refused with the line they stand on, unread.
TEST(RuleFile, NamesTheLineThatMakesAFileTooLarge) {
    const auto path =
        std::filesystem::temp_directory_path() / ("seine-large-" + std::to_string(::getpid()) + ".toml");
    std::ofstream(path) << rule("field = \"tls.ja4\"\npattern = '" + std::string(10'000'000, 'a') + "'");
    const std::string told = read_rules(path.string()).problems.lines();
    std::ofstream(path) << std::string(9'000'000, '\n');
    const std::string other = read_rules(path.string()).problems.lines();
    std::filesystem::remove(path);
    EXPECT_NE(told.find(".toml:6:1: the file has 100"), std::string::npos) << told;
    EXPECT_NE(told.find("a pattern 4096: shorten this line"), std::string::npos) << told;
    EXPECT_NE(other.find(".toml: 9000000 bytes"), std::string::npos) << other;
    EXPECT_NE(other.find("split it"), std::string::npos) << other;
}

constexpr char kStack[] =
    "[[stack]]\nid = \"curl\"\ntitle = \"t\"\nsource = \"s\"\n[stack.claims]\nfield = "
    "\"http.user_agent\"\nprefix = \"curl/\"\n"
    "[stack.shows]\nfield = \"tls.ja4\"\nglob = \"t13d31*\"\n";

TEST(Evaluator, FindsAMismatchOnlyWhereBothSidesAreKnown) {
    const LoadedRules loaded = read_rules_text("f.toml", kStack + rule("mismatch = \"curl\""), "");
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    const auto evaluator = Evaluator::make(loaded.set);
    ASSERT_TRUE(evaluator);
    const FieldRef agent{Field::http_user_agent, {}};
    const FieldRef ja4{Field::tls_ja4, {}};
    Subject subject;
    subject.add(agent, "curl/8.1");
    EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], subject), Tri::unknown);
    subject.add(ja4, "t13d1516h2_x_y");
    EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], subject), Tri::yes);
    subject.clear();
    subject.add(agent, "curl/8.1");
    subject.add(ja4, "t13d3112h1_x_y");
    EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], subject), Tri::no);
    subject.clear();
    subject.add(agent, "wget");
    subject.add(ja4, "t13d1516h2_x_y");
    EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], subject), Tri::no);
    EXPECT_EQ(runs_in(loaded.set, loaded.set.rules[0]), RunsIn::control);
}

TEST(Evaluator, ComparesEachWayAsTheGrammarSays) {
    struct Case {
        const char* matcher;
        const char* yes;
        const char* no;
    };
    const Case cases[] = {
        {"equals = \"a.b\"", "a.b", "axb"},
        {"prefix = \"a.\"", "a.b", "ba."},
        {"suffix = \".b\"", "a.b", "a.bc"},
        {"contains = [\"x\", \"y+\"]", "1y+2", "yy"},
        {"glob = \"t?3*z\"", "t13abz", "t13abzx"},
        {"glob = 'a\\*b'", "a*b", "axb"},
        {"pattern = '^a[0-9]+$'", "a12", "a12x"},
        {"contains = \"AbC\"\nnocase = true", "xaBcx", "ab"},
    };
    for (const Case& one : cases) {
        const LoadedRules loaded = read_rules_text(
            "f.toml", rule("field = \"http.user_agent\"\n" + std::string(one.matcher)), "");
        ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
        const auto evaluator = Evaluator::make(loaded.set);
        ASSERT_TRUE(evaluator);
        Subject yes;
        yes.add({Field::http_user_agent, {}}, one.yes);
        Subject no;
        no.add({Field::http_user_agent, {}}, one.no);
        EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], yes), Tri::yes) << one.matcher;
        EXPECT_EQ(evaluator->evaluate(loaded.set.rules[0], no), Tri::no) << one.matcher;
    }
}

TEST(Check, TellsAnExampleThatFailsAndAPatternThatExplodes) {
    LoadedRules loaded =
        read_rules_text("f.toml", rule("field = \"http.user_agent\"\npattern = '^(w+)+$'"), "");
    ASSERT_TRUE(loaded.problems.empty());
    const auto evaluator = Evaluator::make(loaded.set);
    ASSERT_TRUE(evaluator);
    const CheckCounts counts = check_examples(*evaluator, loaded.problems);
    EXPECT_EQ(counts.examples, 2u);
    EXPECT_EQ(counts.failed, 1u);
    EXPECT_NE(loaded.problems.lines().find("f.toml:7:1: rule `r`: this example must match"),
              std::string::npos)
        << loaded.problems.lines();
    Problems explosions;
    check_explosions(loaded.set, explosions);
    EXPECT_NE(explosions.lines().find("f.toml:5:9: the pattern explodes"), std::string::npos)
        << explosions.lines();
}

TEST(Scope, TakesPortsNetworksAndServers) {
    const LoadedRules loaded = read_rules_text(
        "f.toml",
        rule("field = \"http.user_agent\"\nprefix = \"curl/\"\nscope = { ports = [443, "
             "\"8000-8100\"], networks = [\"10.0.0.0/8\"], servers = [\"*.example.com\"] }"),
        "");
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    const auto scoped = [&](const char* port, const char* src, const char* host) {
        Subject subject;
        subject.add({Field::dst_port, {}}, port);
        subject.add({Field::src, {}}, src);
        subject.add({Field::http_host, {}}, host);
        return in_scope(loaded.set.rules[0].scope, subject);
    };
    EXPECT_EQ(scoped("443", "10.1.2.3", "API.example.com"), Tri::yes);
    EXPECT_EQ(scoped("8050", "10.1.2.3", "api.example.com:8050"), Tri::yes);
    EXPECT_EQ(scoped("80", "10.1.2.3", "api.example.com"), Tri::no);
    EXPECT_EQ(scoped("443", "11.1.2.3", "api.example.com"), Tri::no);
    EXPECT_EQ(scoped("443", "10.1.2.3", "example.com"), Tri::no);
    EXPECT_EQ(in_scope(loaded.set.rules[0].scope, Subject()), Tri::unknown);
}

}  // namespace
}  // namespace seine::signature
