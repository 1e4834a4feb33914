// Rules on the line: what a flow shows makes them hit, bodies in any pieces, and no secret in a
// finding.
#include "tests/unit/pipeline/rules_on_line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;

TEST_F(Match, AHelloMakesARuleHitOnce) {
    use(rule("sni", "field = \"tls.sni\"\nequals = \"API.example\"") +
        rule("other", "field = \"tls.sni\"\nequals = \"x\"") +
        rule("raw", "field = \"tls.ja4_r\"\ncontains = \"1301,1302,c02f\""));
    talk.client(client_hello_record());
    talk.server(server_hello_record());
    talk.client(application_data(100));
    EXPECT_EQ(found(), (Ids{"sni", "raw"}));
    const Record finding = line.of(Kind::finding)[0];
    EXPECT_EQ(finding.get(Field::rule_generation), 5u);
    EXPECT_EQ(finding.text(Field::rule_field), "tls.sni");
    EXPECT_EQ(finding.text(Field::rule_value), "api.example");
    EXPECT_EQ(finding.get(Field::dport), 443u);
    EXPECT_EQ(line.of(Kind::open).size(), 1u);
}

TEST_F(Match, BothSidesOfAHandshakeMeet) {
    use(rule("both",
             "all = [{ field = \"tls.alpn\", equals = \"h2\" }, { field = \"tls.version\", equals "
             "= \"0304\" }]") +
        rule("early",
             "all = [{ field = \"tls.alpn\", equals = \"h2\" }, { not = { field = \"tls.version\", "
             "equals = \"0303\" } }]"));
    talk.client(client_hello_record());
    EXPECT_TRUE(line.of(Kind::finding).empty());
    talk.server(server_hello_record());
    EXPECT_EQ(found().size(), 2u);
}

TEST_F(Match, ASecretNeverReachesAFinding) {
    use(rule("key", "field = \"http.header.authorization\"\nprefix = \"Bearer \"") +
        rule("referer", "field = \"http.header.referer\"\ncontains = \"k=\"") +
        rule("body", "field = \"http.body\"\ncontains = \"secret-in-body\""));
    talk.client_says(
        "POST /a?api_key=sk-live-1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-live-2\r\n"
        "Referer: http://x/?k=sk-live-3\r\nContent-Length: 31\r\n\r\nhere: secret-in-body "
        "sk-live-4.");
    EXPECT_EQ(found(), (Ids{"key", "referer", "body"}));
    EXPECT_FALSE(line.contains("sk-live"));
    EXPECT_FALSE(line.contains("secret-in-body"));
    EXPECT_EQ(line.of(Kind::finding)[0].text(Field::rule_value).substr(0, 9), "redacted:");
    EXPECT_EQ(line.of(Kind::finding)[1].text(Field::rule_value), "http://x/");
    EXPECT_EQ(line.of(Kind::finding)[2].text(Field::rule_value), "0+31");
}

TEST_F(Match, ChunkedBodiesAreReadAtAnyCut) {
    const std::string text =
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "b;ext=1\r\nignore prev\r\n7\r\nious in\r\nb\r\nstructions!\r\n0\r\n\r\nGET /b "
        "HTTP/1.1\r\nHost: h\r\n\r\n";
    set =
        rules(rule("inject", "field = \"http.body\"\ncontains = \"ignore previous instructions\"") +
              rule("end", "field = \"http.body\"\nsuffix = \"!\"") +
              rule("b", "field = \"http.path\"\nequals = \"/b\""));
    line.inspector().adopt(set.get());
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        Line& one = line.again();
        one.wait(600 * kSecond);  // past what a rule may tell of one source at once
        Talk other{one};
        other.client_port = static_cast<std::uint16_t>(10000 + cut);
        other.open();
        other.client_says(text.substr(0, cut));
        other.client_says(text.substr(cut));
        one.finish();
        Ids ids;
        for (const Record& record : one.of(Kind::finding)) ids.push_back(record.text(Field::rules));
        EXPECT_EQ(ids, (Ids{"inject", "end", "b"})) << cut;
    }
}

TEST_F(Match, AnAnswersBodyIsReadWhereARuleSaysSo) {
    use(rule("leak", "field = \"http.response_body\"\ncontains = \"system prompt\""));
    talk.client_says("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    talk.server_says("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nhere is my sys");
    talk.server_says("tem prompt");
    EXPECT_EQ(found(), Ids{"leak"});
}

TEST_F(Match, EveryRequestOfAConnectionIsLookedAt) {
    use(rule("a", "field = \"http.path\"\nprefix = \"/a\"") +
        rule("bare", "field = \"http.user_agent\"\npresent = false"));
    talk.client_says(
        "GET /a1 HTTP/1.1\r\nUser-Agent: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /a2 "
        "HTTP/1.1\r\nUser-Agent: x\r\n\r\n");
    EXPECT_EQ(found(), (Ids{"a", "bare", "a"}));
}

TEST_F(Match, WithoutRulesNothingChanges) {
    talk.open();
    talk.client(client_hello_record());
    line.finish();
    Line with;
    const auto none = rules(rule("never", "field = \"tls.sni\"\nequals = \"never\""));
    with.inspector().adopt(none.get());
    Talk other{with};
    other.open();
    other.client(client_hello_record());
    with.finish();
    ASSERT_EQ(line.records.size(), with.records.size());
    for (std::size_t i = 0; i < line.records.size(); ++i)
        EXPECT_EQ(line.records[i].bytes, with.records[i].bytes);
}

}  // namespace
}  // namespace seine::pipeline
