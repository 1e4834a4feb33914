// Clear HTTP on the line: heads become records, bodies are skipped, secrets stay where they were.
#include "dataplane/crypto/keyed_hash.h"
#include "tests/unit/http/h2_builder.h"
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;
namespace h2 = http::test;

class Http : public testing::Test {
  protected:
    Http() {
        talk.server_port = 8080;
        talk.open();
    }
    std::vector<std::string> paths() {
        line.finish();
        return line.all(Field::path);
    }
    Line line;
    Talk talk{line};
};

TEST_F(Http, PipelinedRequestsInOneSegment) {
    talk.client_says("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"
                     "POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyzGET /d HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(paths(), (std::vector<std::string>{"/a", "/b", "/c", "/d"}));
    EXPECT_EQ(line.of(Kind::request).size(), 4u);
    EXPECT_EQ(line.last(Field::requests), 4u);
}

TEST_F(Http, ABodyThatLooksLikeARequestIsSkipped) {
    talk.client_says("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 27\r\n\r\nGET /no HTTP/1.1\r\nHost: h\r\n");
    talk.client_says("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(paths(), (std::vector<std::string>{"/a", "/b"}));
}

TEST_F(Http, AHoleInsideABodyOfKnownLengthHurtsNobody) {
    talk.client_says("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n");
    talk.client(Bytes(1000, 'x'));
    talk.client_next += 3000;  // never captured
    talk.client(Bytes(1000, 'x'));
    talk.client_says("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(paths(), (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(line.count(Counter::stream_lost), 0u);
}

TEST_F(Http, ChunkedBodiesAreSkippedAtAnyCut) {
    const std::string text =
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "b;ext=1\r\nGET /no HTT\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
        Line& one = line.again();
        Talk other{one};
        other.client_port = static_cast<std::uint16_t>(10000 + cut);
        other.open();
        other.client_says(text.substr(0, cut));
        other.client_says(text.substr(cut));
        one.finish();
        EXPECT_EQ(one.all(Field::path), (std::vector<std::string>{"/a", "/b"})) << cut;
    }
}

TEST_F(Http, AfterALossTheNextHeadIsFoundAgain) {
    talk.client_says("GET /a HTTP/1.1\r\nHost: h\r\nX: ");
    talk.client_next += 700;  // never captured, but the server has it
    for (int i = 0; i < 5; ++i) talk.line.packet(talk.from_server(synth::kAck, talk.server_next));
    talk.client_says("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(paths(), std::vector<std::string>{"/b"});
    EXPECT_TRUE(line.says(Field::incomplete, "stream_lost"));
}

TEST_F(Http, AnswersCarryTheNumberOfTheirRequest) {
    talk.client_says("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    talk.server_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    std::vector<std::pair<std::uint64_t, std::uint64_t>> answers;
    for (const Record& record : line.of(Kind::update))
        if (record.has(Field::status)) answers.emplace_back(record.get(Field::request_no), record.get(Field::status));
    EXPECT_EQ(answers, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 200}, {1, 404}}));
}

TEST_F(Http, Http2ByPriorKnowledge) {
    const std::string opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                                h2::frame(http::H2Type::settings, 0, 0, h2::setting(1, 4096)) +
                                h2::frame(http::H2Type::headers, h2::kWhole, 1, h2::get("/one?key=hidden")) +
                                h2::frame(http::H2Type::headers, h2::kWhole, 3, h2::get("/two"));
    for (std::size_t at = 0; at < opening.size(); at += 5) talk.client_says(opening.substr(at, 5));
    EXPECT_EQ(paths(), (std::vector<std::string>{"/one", "/two"}));
    EXPECT_EQ(line.all(Field::h2_settings).size(), 1u);
    EXPECT_EQ(line.count(Counter::h2_requests), 2u);
    EXPECT_FALSE(line.contains("hidden"));
}

TEST_F(Http, Http2ByUpgrade) {
    talk.client_says("GET /old HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                     "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    talk.server_says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    talk.client_says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                     h2::frame(http::H2Type::settings, 0, 0, h2::setting(1, 4096)) +
                     h2::frame(http::H2Type::headers, h2::kWhole, 3, h2::get("/new")));
    EXPECT_EQ(paths(), (std::vector<std::string>{"/old", "/new"}));
}

TEST_F(Http, NoSecretStandsInAnyRecord) {
    talk.client_says("POST http://user:hidden1@h.example/v1/chat?key=hidden2#frag-hidden3 HTTP/1.1\r\n"
                     "Host: h.example\r\nAuthorization: Bearer hidden4\r\nx-api-key: hidden5\r\n"
                     "Proxy-Authorization: Basic hidden6\r\nCookie: session=hidden7; a=hidden8\r\n"
                     "X-Other: hidden9\r\nReferer: http://r.example/?hidden10\r\nContent-Length: 8\r\n\r\nhidden11");
    talk.server_says("HTTP/1.1 200 OK\r\nSet-Cookie: id=hidden12\r\nLocation: /x?hidden13\r\n"
                     "Content-Length: 8\r\n\r\nhidden14");
    talk.client_says("GET /plain#hidden15 HTTP/1.1\r\nHost: user:hidden16@h.example\r\n\r\n");
    line.finish();
    EXPECT_FALSE(line.contains("hidden"));
    EXPECT_EQ(line.of(Kind::request).size(), 2u);
    EXPECT_EQ(line.all(Field::path).front(), "/v1/chat");
    EXPECT_EQ(line.all(Field::host).front(), "h.example");
}

TEST_F(Http, WhereHttpIsBrokenTheReasonIsTold) {
    talk.client_says("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    talk.client_says(std::string("\0\1\2\3 nothing of HTTP\r\n\r\n", 25));
    EXPECT_EQ(paths(), std::vector<std::string>{"/a"});
    EXPECT_TRUE(line.says(Field::incomplete, "http_malformed"));
    EXPECT_EQ(line.count(Counter::http_malformed), 1u);
}

TEST_F(Http, KeysLeaveAsKeyedHashesAndOneKeyHasOne) {
    talk.client_says("GET /a?k=sk-1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-1\r\nX-Forwarded-For: 192.0.2.9\r\n"
                     "X-Client-Port: 4711\r\nX-Request-Id: r-7\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\nx-api-key: sk-2\r\n\r\n");
    line.finish();
    const std::uint8_t zero[16] = {};
    const crypto::KeyedHash keyed{zero};
    std::vector<std::uint64_t> hashes;
    for (const std::string& items : line.all(Field::api_keys)) {
        for (std::size_t at = 0; at < items.size(); at += 8) hashes.push_back(load_le64(as_bytes(items).data() + at));
    }
    EXPECT_EQ(hashes, (std::vector<std::uint64_t>{keyed(as_bytes("sk-1")), keyed(as_bytes("sk-1")),
                                                  keyed(as_bytes("sk-2"))}));
    EXPECT_FALSE(line.contains("sk-"));
    EXPECT_EQ(line.all(Field::forwarded_for), std::vector<std::string>{"192.0.2.9"});
    EXPECT_EQ(line.all(Field::request_id), std::vector<std::string>{"r-7"});
    EXPECT_EQ(line.last(Field::forwarded_port), 4711u);
}

}  // namespace
}  // namespace seine::pipeline
