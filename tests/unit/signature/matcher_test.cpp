// The matcher of the packet path, held to the plain evaluator; blobs; limits; bodies in pieces.
#include "dataplane/signature/matcher.h"

#include <random>

#include <gtest/gtest.h>

#include "dataplane/signature/compile.h"
#include "dataplane/signature/evaluate.h"
#include "dataplane/signature/rule_file.h"

namespace seine::signature {
namespace {

constexpr std::uint8_t kSource[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3};

std::string examples(const std::string& field, const std::string& yes, const std::string& no) {
    return "[[rule.match]]\n" + field + " = '" + yes + "'\n[[rule.no_match]]\n" + field + " = '" +
           no + "'\n";
}
std::string rule(const std::string& id, const std::string& condition,
                 const std::string& more = "") {
    return "[[rule]]\nid = \"" + id + "\"\ntitle = \"t\"\nclass = \"scripting\"\n" + more +
           condition + "\n" + examples("http.user_agent", "x", "y");
}

struct Loaded {
    LoadedRules rules;
    std::unique_ptr<Generation> generation;
};
Loaded load(const std::string& text, Generation::Limits limits = {}) {
    Loaded out;
    out.rules = read_rules_text("f.toml", text, "");
    EXPECT_TRUE(out.rules.problems.empty()) << out.rules.problems.lines();
    CompiledRules compiled = compile(out.rules.set, out.rules.problems);
    EXPECT_TRUE(out.rules.problems.empty()) << out.rules.problems.lines();
    compiled.generation = 7;
    auto again = decode(encode(compiled));
    EXPECT_TRUE(again) << again.error().message();
    auto made = Generation::make(std::move(*again), limits);
    EXPECT_TRUE(made) << made.error().message();
    out.generation = std::move(*made);
    return out;
}

std::vector<std::string> ids(std::span<const Hit> hits) {
    std::vector<std::string> out;
    for (const Hit& hit : hits) out.push_back(hit.rule->id);
    std::sort(out.begin(), out.end());
    return out;
}
using Ids = std::vector<std::string>;

constexpr char kUser[] = "field = \"http.user_agent\"\n";

TEST(Matcher, TellsARuleOnceARequestAndAgainInTheNext) {
    const Loaded set = load(rule("a", kUser + std::string("prefix = \"curl/\"")));
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    MatchState state;
    for (int request = 0; request < 3; ++request) {
        matcher.begin_request(state);
        matcher.feed(Field::http_user_agent, "curl/8");
        const auto hits = matcher.end(bit(Group::http));
        ASSERT_EQ(ids(hits), Ids{"a"});
        EXPECT_EQ(hits[0].evidence[0].value, "curl/8");
        matcher.begin(state);
        EXPECT_TRUE(matcher.end(bit(Group::http_headers)).empty());
    }
}

TEST(Matcher, JoinsWhatTwoEventsFound) {
    const Loaded set = load(rule("a",
                                 "all = [{ field = \"tls.ja4\", prefix = \"t13\" }, { not = { "
                                 "field = \"tls.ja4s\", prefix = \"t12\" } }]"));
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    MatchState state;
    matcher.begin(state);
    matcher.feed(Field::tls_ja4, "t13d");
    EXPECT_TRUE(matcher.end(bit(Group::tls_client)).empty());  // the server has not spoken
    matcher.begin(state);
    matcher.feed(Field::tls_ja4s, "t1302");
    EXPECT_EQ(ids(matcher.end(bit(Group::tls_server))), Ids{"a"});
    MatchState other;
    matcher.begin(other);
    matcher.feed(Field::tls_ja4, "t13d");
    EXPECT_TRUE(matcher.end(bit(Group::tls_client)).empty());
    matcher.begin(other);
    matcher.feed(Field::tls_ja4s, "t1202");
    EXPECT_TRUE(matcher.end(bit(Group::tls_server)).empty());
}

TEST(Matcher, FindsRulesThatNeedNothingFound) {
    const Loaded set = load(rule("a", "field = \"http.header.accept\"\npresent = false"));
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    MatchState state;
    matcher.begin_request(state);
    EXPECT_EQ(ids(matcher.end(bit(Group::http) | bit(Group::http_headers))), Ids{"a"});
    matcher.begin_request(state);
    matcher.feed_header("Accept", "*/*");
    EXPECT_TRUE(matcher.end(bit(Group::http) | bit(Group::http_headers)).empty());
}

TEST(Matcher, ReadsBodiesThatComeInPieces) {
    const Loaded set =
        load(rule("lit", "field = \"http.body\"\ncontains = \"ignore previous\"") +
             rule("end", "field = \"http.body\"\nsuffix = \"please\"") +
             rule("look", "field = \"http.body\"\npattern = '(?<!do not )ignore (previous|all)'"));
    const std::string body = "xx ignore previous instructions please";
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
        Matcher matcher(0);
        matcher.adopt(set.generation.get());
        MatchState state;
        matcher.begin_request(state);
        static_cast<void>(matcher.end(bit(Group::http)));
        ASSERT_TRUE(matcher.begin_body(state, Field::http_body));
        Ids found;
        for (std::size_t at = 0; at < body.size(); at += piece) {
            matcher.begin(state);
            EXPECT_FALSE(matcher.feed_body(state, Field::http_body,
                                           as_bytes(std::string_view(body).substr(at, piece))));
            for (const auto& id : ids(matcher.end(0))) found.push_back(id);
        }
        matcher.begin(state);
        matcher.finish_body(state, Field::http_body);
        for (const auto& id : ids(matcher.end(bit(Group::body)))) found.push_back(id);
        std::sort(found.begin(), found.end());
        EXPECT_EQ(found, (Ids{"end", "lit", "look"})) << piece;
    }
}

TEST(Matcher, GivesBodiesBackAndCountsWhenNoneIsFree) {
    const Loaded set = load(rule("lit", "field = \"http.body\"\ncontains = \"x\""),
                            {.workers = 1, .bodies_max = 2});
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    MatchState states[3];
    for (MatchState& state : states) {
        matcher.begin_request(state);
        static_cast<void>(matcher.end(bit(Group::http)));
    }
    EXPECT_TRUE(matcher.begin_body(states[0], Field::http_body));
    EXPECT_TRUE(matcher.begin_body(states[1], Field::http_body));
    EXPECT_FALSE(matcher.begin_body(states[2], Field::http_body));
    EXPECT_EQ(matcher.lost(Loss::bodies), 1u);
    matcher.end_body(states[0]);
    EXPECT_TRUE(matcher.begin_body(states[2], Field::http_body));
}

TEST(Matcher, LimitsAlertsAndSaysHowManyItSwallowed) {
    const Loaded set = load(rule("a", kUser + std::string("prefix = \"curl/\""),
                                 "limit = { per_rule = \"5/min\", per_source = \"2/min\" }\n"));
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    MatchState state;
    std::uint64_t swallowed[2] = {};
    int told = 0;
    for (int i = 0; i < 10; ++i) {
        matcher.begin_request(state);
        matcher.feed(Field::http_user_agent, "curl/8");
        const auto hits = matcher.end(bit(Group::http));
        ASSERT_EQ(hits.size(), 1u);
        told += matcher.admit(hits[0], kSource, 80, Nanos{1000 + i}, swallowed) ? 1 : 0;
    }
    EXPECT_EQ(told, 2);
    matcher.begin_request(state);
    matcher.feed(Field::http_user_agent, "curl/8");
    const auto hits = matcher.end(bit(Group::http));
    EXPECT_TRUE(matcher.admit(hits[0], kSource, 80, Nanos{61 * kSecond}, swallowed));
    EXPECT_EQ(swallowed[0], 8u);
    EXPECT_EQ(swallowed[1], 8u);
    const RuleTotals totals = set.generation->totals(0);
    EXPECT_EQ(totals.hits, 11u);
    EXPECT_EQ(totals.findings, 3u);
    EXPECT_EQ(totals.swallowed, 8u);
}

TEST(Matcher, ForgetsWhatAnotherSetFound) {
    const std::string text = rule("a",
                                  "all = [{ field = \"tls.ja4\", prefix = \"t13\" }, { field = "
                                  "\"tls.ja4s\", prefix = \"t13\" }]");
    const Loaded first = load(text);
    Loaded second = load(text);
    second.generation->set_number(8);
    Matcher matcher(0);
    matcher.adopt(first.generation.get());
    MatchState state;
    matcher.begin(state);
    matcher.feed(Field::tls_ja4, "t13d");
    EXPECT_TRUE(matcher.end(bit(Group::tls_client)).empty());
    matcher.adopt(second.generation.get());
    matcher.begin(state);
    matcher.feed(Field::tls_ja4s, "t1302");
    EXPECT_TRUE(matcher.end(bit(Group::tls_server)).empty());
    EXPECT_EQ(matcher.lost(Loss::flows), 1u);
}

// Random subjects over rules of every shape: the same answers as the plain evaluator.
TEST(Matcher, AnswersAsThePlainEvaluatorDoes) {
    std::string text;
    const char* conditions[] = {
        "field = \"http.user_agent\"\npattern = '^[ab]+c'",
        "field = \"http.user_agent\"\nglob = \"a*b?\"",
        "field = \"http.user_agent\"\npattern = '(a)\\1c'",
        "field = \"http.user_agent\"\nsuffix = [\"bc\", \"ca\"]\nnot = { field = \"http.method\", "
        "equals = \"a\" }",
        "any = [{ field = \"http.method\", contains = \"AB\", nocase = true }, { all = [{ field = "
        "\"http.host\", prefix = \"a\" }, { field = \"http.path\", present = false }] }]",
        "not = { any = [{ field = \"http.host\", contains = \"b\" }, { field = \"http.path\", "
        "pattern = 'c$' }] }",
        "field = \"http.header.x\"\npresent = false",
        "all = [{ field = \"http.header.x\", present = true }, { field = \"http.header.x\", "
        "pattern = 'a(?=b)' }]",
        "field = \"http.host\"\nequals = \"ABC\"",
        "field = \"src\"\nequals = \"10.1.2.3\"",
    };
    int number = 0;
    for (const char* condition : conditions)
        text += rule("r" + std::to_string(number++), condition);
    text += rule("s", "field = \"http.method\"\ncontains = \"a\"",
                 "scope = { servers = [\"*.ab\", \"abc\"] }\n");
    const Loaded set = load(text);
    const auto evaluator = Evaluator::make(set.rules.set);
    ASSERT_TRUE(evaluator);
    std::mt19937 random(4);
    Matcher matcher(0);
    matcher.adopt(set.generation.get());
    std::size_t hits_seen = 0;
    for (int round = 0; round < 4000; ++round) {
        const auto word = [&] {
            std::string out;
            for (std::size_t n = random() % 5; n > 0; --n) out.push_back("abc."[random() % 4]);
            return out;
        };
        Subject subject;
        MatchState state;
        matcher.begin_request(state);
        subject.see(Group::http);
        subject.see(Group::http_headers);
        if (random() % 2 == 0) {
            subject.add({Field::src, {}}, "10.1.2.3");
            matcher.feed_address(Field::src, kSource);
        }
        for (const Field field :
             {Field::http_user_agent, Field::http_method, Field::http_host, Field::http_path}) {
            if (random() % 3 == 0) continue;
            const std::string value = word();
            subject.add({field, {}}, value);
            matcher.feed(field, value);
        }
        if (random() % 2 == 0) {
            const std::string value = word();
            subject.add({Field::http_header, "x"}, value);
            matcher.feed_header("X", value);
        }
        const Groups seen = bit(Group::http) | bit(Group::http_headers) |
                            (subject.seen(Group::flow) ? bit(Group::flow) : 0);
        const Ids found = ids(matcher.end(seen));
        Ids expected;
        for (const std::size_t at : evaluator->matches(subject))
            expected.push_back(set.rules.set.rules[at].id);
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(found, expected) << "round " << round;
        hits_seen += found.size();
    }
    EXPECT_GT(hits_seen, 1000u);
}

TEST(Blob, IsRefusedWhenAlteredCutOrForeign) {
    LoadedRules rules =
        read_rules_text("f.toml", rule("a", kUser + std::string("prefix = \"curl/\"")), "");
    CompiledRules compiled = compile(rules.set, rules.problems);
    const auto blob = encode(compiled);
    for (std::size_t at = 0; at < blob.size(); at += 1 + at / 64) {
        auto wrong = blob;
        wrong[at] ^= 0x40;
        if (at >= 12 && at < 16) continue;  // reserved
        const auto read = decode(wrong);
        ASSERT_FALSE(read) << at;
        EXPECT_EQ(read.error().code(), Code::corrupt);
        EXPECT_NE(read.error().message().find("seinectl signature push"), std::string::npos);
    }
    for (std::size_t cut = 0; cut < blob.size(); cut += 7)
        EXPECT_FALSE(decode(ByteView(blob).first(cut)));
    auto foreign = *decode(blob);
    foreign.engine = "4.7.0";
    EXPECT_NE(Generation::make(std::move(foreign), {}).error().message().find("Hyperscan 4.7.0"),
              std::string::npos);
    foreign = *decode(blob);
    foreign.cpu_features = ~std::uint64_t{0};
    EXPECT_NE(Generation::make(std::move(foreign), {}).error().message().find("processors"),
              std::string::npos);
}

TEST(Compile, NamesThePatternThatCannotBeTaken) {
    LoadedRules rules = read_rules_text(
        "f.toml", rule("a", kUser + std::string("pattern = '([a-z]{1,900}[0-9]{1,900}){5,900}x'")),
        "");
    Problems problems = rules.problems;
    if (problems.empty()) static_cast<void>(compile(rules.set, problems));
    ASSERT_FALSE(problems.empty());
    EXPECT_NE(problems.lines().find("f.toml:"), std::string::npos) << problems.lines();
}

}  // namespace
}  // namespace seine::signature
