// HTTP/1 heads: fields in wire order, body rule, recognisers; every truncation and every flipped
// byte.
#include "dataplane/http/http1.h"

#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::http;

constexpr std::string_view kPost =
    "POST /v1/messages?beta=true HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: client/1.0 (x; y)\r\n"
    "accept:\tapplication/json \r\n"
    "X-Empty:\r\n"
    "Content-Length: 12\r\n"
    "\r\n"
    "{\"a\":\"bcde\"}";

Parse request(std::string_view text, Request& out) { return parse_request(as_bytes(text), out); }
Parse response(std::string_view text, Response& out) { return parse_response(as_bytes(text), out); }

// On a heap buffer of its exact size, so that a read past the end shows under the sanitizers.
template <typename Visit>
void on_exact_copy(std::string_view text, Visit&& visit) {
    const auto exact = std::make_unique<std::uint8_t[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    visit(ByteView(exact.get(), text.size()));
}

TEST(Http1Request, ReadsHeadInWireOrder) {
    Request out;
    ASSERT_EQ(request(kPost, out), Parse::ok);
    EXPECT_EQ(out.method, "POST");
    EXPECT_EQ(out.target, "/v1/messages?beta=true");
    EXPECT_EQ(out.version, (Version{1, 1}));
    ASSERT_EQ(out.headers.size(), 5u);
    EXPECT_EQ(out.headers[0].name, "Host");
    EXPECT_EQ(out.headers[1].value, "client/1.0 (x; y)");
    EXPECT_EQ(out.headers[2].name, "accept");
    EXPECT_EQ(out.headers[2].value, "application/json");
    EXPECT_EQ(out.headers[3].value, "");
    EXPECT_EQ(out.headers.value_of("content-length"), "12");
    EXPECT_EQ(out.head_bytes, kPost.size() - 12);
    EXPECT_EQ(out.body.kind, BodyKind::length);
    EXPECT_EQ(out.body.length, 12u);
    EXPECT_FALSE(out.body.conflict);
    EXPECT_EQ(path_of(out), "/v1/messages");
    EXPECT_EQ(host_of(out), "api.example.com");
}

TEST(Http1Request, EveryTruncationOfTheHeadNeedsMore) {
    const std::size_t head = kPost.size() - 12;
    for (std::size_t cut = 0; cut < head; ++cut) {
        on_exact_copy(kPost.substr(0, cut), [&](ByteView bytes) {
            Request out;
            EXPECT_EQ(parse_request(bytes, out), Parse::need_more) << cut;
        });
    }
}

TEST(Http1Request, EveryFlippedByteIsAnswered) {
    for (std::size_t at = 0; at < kPost.size(); ++at) {
        for (const unsigned mask : {0x01u, 0x20u, 0x80u, 0xffu}) {
            std::string text(kPost);
            text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ mask);
            on_exact_copy(text, [&](ByteView bytes) {
                Request out;
                const Parse parse = parse_request(bytes, out);
                if (parse != Parse::ok) return;
                EXPECT_LE(out.head_bytes, bytes.size());
                EXPECT_LE(out.headers.bytes(), out.head_bytes);
            });
        }
    }
}

TEST(Http1Request, JoinsFoldedLinesAndSaysSo) {
    Request out;
    ASSERT_EQ(request("GET / HTTP/1.1\r\nA: one\r\n  two\r\n\tthree\r\nB: 4\r\n\r\n", out),
              Parse::ok);
    EXPECT_TRUE(out.folded);
    ASSERT_EQ(out.headers.size(), 2u);
    EXPECT_EQ(out.headers[0].value, "one\r\n  two\r\n\tthree");
    EXPECT_EQ(out.headers[1].value, "4");
}

TEST(Http1Request, FoldedFramingIsAConflictAndNotFollowed) {
    Request out;
    ASSERT_EQ(request("POST / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", out), Parse::ok);
    EXPECT_TRUE(out.body.conflict);
    EXPECT_EQ(out.body.kind, BodyKind::none);
    ASSERT_EQ(request("POST / HTTP/1.1\r\nContent-Length:\r\n 5\r\n\r\n", out), Parse::ok);
    EXPECT_TRUE(out.body.conflict);
}

TEST(Http1Request, ToleratesBareLineFeedsAndLeadingEmptyLines) {
    Request out;
    ASSERT_EQ(request("\r\n\r\nGET /a HTTP/1.0\nHost: b\n\n", out), Parse::ok);
    EXPECT_TRUE(out.bare_lf);
    EXPECT_EQ(out.version, (Version{1, 0}));
    EXPECT_EQ(out.target, "/a");
    EXPECT_EQ(out.head_bytes, 29u);
    ASSERT_EQ(request("GET /a HTTP/1.1\r\n\r\n", out), Parse::ok);
    EXPECT_FALSE(out.bare_lf);
    EXPECT_TRUE(out.headers.empty());
}

TEST(Http1Request, PassesOverLinesThatAreNoFields) {
    Request out;
    ASSERT_EQ(request("GET / HTTP/1.1\r\nnonsense\r\n: x\r\nHost : h\r\n\r\n", out), Parse::ok);
    EXPECT_TRUE(out.odd_line);
    ASSERT_EQ(out.headers.size(), 1u);
    EXPECT_EQ(out.headers[0].name, "Host");
    EXPECT_EQ(out.headers[0].value, "h");
    EXPECT_EQ(request(std::string_view("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 26), out),
              Parse::malformed);
}

TEST(Http1Request, ReadsEveryTargetForm) {
    Request out;
    ASSERT_EQ(
        request("GET http://user:pw@host.example:81/p/q?k=secret HTTP/1.1\r\nHost: other\r\n\r\n",
                out),
        Parse::ok);
    EXPECT_EQ(path_of(out), "/p/q");
    EXPECT_EQ(host_of(out), "host.example:81");
    ASSERT_EQ(request("GET http://h?x HTTP/1.1\r\n\r\n", out), Parse::ok);
    EXPECT_EQ(path_of(out), "/");
    ASSERT_EQ(request("CONNECT user@h.example:443 HTTP/1.1\r\nHost: z\r\n\r\n", out), Parse::ok);
    EXPECT_EQ(host_of(out), "h.example:443");
    EXPECT_EQ(path_of(out), "h.example:443");
    ASSERT_EQ(request("OPTIONS * HTTP/1.1\r\nHost: a@z\r\n\r\n", out), Parse::ok);
    EXPECT_EQ(path_of(out), "*");
    EXPECT_EQ(host_of(out), "z");
    ASSERT_EQ(request("GET /with blank/in it HTTP/1.1\r\n\r\n", out), Parse::ok);
    EXPECT_EQ(out.target, "/with blank/in it");
}

TEST(Http1Request, RefusesOtherProtocols) {
    Request out;
    for (const std::string_view text :
         {"INVITE sip:a@b SIP/2.0\r\n\r\n", "GET /\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
          "EHLO mail.example\r\n", "SSH-2.0-OpenSSH_9.2p1 x\r\n", "\x16\x03\x01",
          "GET  HTTP/1.1\r\n\r\n"}) {
        EXPECT_EQ(request(text, out), Parse::not_this) << text;
        EXPECT_EQ(looks_like_http1_request(as_bytes(text)), Parse::not_this) << text;
    }
}

TEST(Http1Request, BoundsFieldsAndHead) {
    std::string many = "GET / HTTP/1.1\r\n";
    for (std::size_t i = 0; i < HeaderList::kFieldsMax; ++i) many += "a: b\r\n";
    Request out;
    EXPECT_EQ(request(many + "\r\n", out), Parse::ok);
    EXPECT_EQ(out.headers.size(), HeaderList::kFieldsMax);
    EXPECT_EQ(request(many + "a: b\r\n\r\n", out), Parse::limit);
    std::string endless = "GET / HTTP/1.1\r\nA: ";
    endless.append(kHeadBytesMax, 'x');
    EXPECT_EQ(request(endless, out), Parse::limit);
    EXPECT_EQ(request(endless + "\r\n\r\n", out), Parse::limit);
}

struct BodyCase {
    const char* fields;
    BodyKind kind;
    std::uint64_t length;
    bool conflict;
};

TEST(Http1Request, MeasuresBodiesAsRfc9112Section63Says) {
    const BodyCase cases[] = {
        {"", BodyKind::none, 0, false},
        {"Content-Length: 0\r\n", BodyKind::none, 0, false},
        {"Content-Length: 7, 7\r\n", BodyKind::length, 7, false},
        {"Content-Length: 7\r\ncontent-length: 7\r\n", BodyKind::length, 7, false},
        {"Content-Length: 7\r\nContent-Length: 8\r\n", BodyKind::length, 7, true},
        {"Content-Length: -1\r\n", BodyKind::none, 0, true},
        {"Content-Length: 5x\r\n", BodyKind::none, 0, true},
        {"Content-Length: \r\n", BodyKind::none, 0, true},
        {"Content-Length: 99999999999999999999999\r\n", BodyKind::none, 0, true},
        {"Transfer-Encoding: chunked\r\n", BodyKind::chunked, 0, false},
        {"TRANSFER-ENCODING: gzip, Chunked\r\n", BodyKind::chunked, 0, false},
        {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", BodyKind::chunked, 0, true},
        {"Transfer-Encoding: chunked, gzip\r\n", BodyKind::none, 0, true},
    };
    for (const BodyCase& c : cases) {
        Request out;
        const std::string text = std::string("POST / HTTP/1.1\r\n") + c.fields + "\r\n";
        ASSERT_EQ(request(text, out), Parse::ok) << text;
        EXPECT_EQ(out.body.kind, c.kind) << text;
        EXPECT_EQ(out.body.kind == BodyKind::length ? out.body.length : 0, c.length) << text;
        EXPECT_EQ(out.body.conflict, c.conflict) << text;
    }
}

TEST(Http1Response, AppliesTheBodyRuleOfItsRequest) {
    Response out;
    const auto kind = [&](std::string_view text, RequestKind answers) {
        EXPECT_EQ(response(text, out), Parse::ok) << text;
        return body_of_response(out, answers).kind;
    };
    constexpr std::string_view kSized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    EXPECT_EQ(kind(kSized, RequestKind::other), BodyKind::length);
    EXPECT_EQ(kind(kSized, RequestKind::head), BodyKind::none);
    EXPECT_EQ(kind(kSized, RequestKind::connect), BodyKind::none);
    EXPECT_EQ(kind("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", RequestKind::connect),
              BodyKind::length);
    EXPECT_EQ(kind("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", RequestKind::other),
              BodyKind::none);
    EXPECT_EQ(kind("HTTP/1.1 204 x\r\n\r\n", RequestKind::other), BodyKind::none);
    EXPECT_EQ(kind("HTTP/1.1 100 Continue\r\n\r\n", RequestKind::other), BodyKind::none);
    EXPECT_EQ(kind("HTTP/1.1 200\r\n\r\n", RequestKind::other), BodyKind::until_close);
    EXPECT_EQ(kind("HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", RequestKind::other),
              BodyKind::until_close);
    EXPECT_EQ(kind_of_method("HEAD"), RequestKind::head);
    EXPECT_EQ(kind_of_method("CONNECT"), RequestKind::connect);
    EXPECT_EQ(kind_of_method("head"), RequestKind::other);
}

TEST(Http1Response, ReadsStatusAndReason) {
    Response out;
    ASSERT_EQ(response("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\r\nbody", out),
              Parse::ok);
    EXPECT_EQ(out.status, 429);
    EXPECT_EQ(out.reason, "Too Many Requests");
    EXPECT_EQ(out.headers.value_of("retry-after"), "1");
    constexpr std::string_view kWhole = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for (std::size_t cut = 0; cut < kWhole.size(); ++cut) {
        on_exact_copy(kWhole.substr(0, cut), [&](ByteView bytes) {
            EXPECT_EQ(parse_response(bytes, out), Parse::need_more) << cut;
        });
    }
    for (const std::string_view text :
         {"ICY 200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 20x\r\n", "GET /"})
        EXPECT_EQ(response(text, out), Parse::not_this) << text;
}

TEST(Http1Recogniser, AsksForMoreOnlyWhileNothingSpeaksAgainst) {
    constexpr std::string_view kLine = "M-SEARCH * HTTP/1.1\r\n";
    for (std::size_t cut = 0; cut + 1 < kLine.size(); ++cut)
        EXPECT_EQ(looks_like_http1_request(as_bytes(kLine.substr(0, cut))), Parse::need_more)
            << cut;
    EXPECT_EQ(looks_like_http1_request(as_bytes(kLine)), Parse::ok);
    const std::string longest = std::string(kMethodBytesMax, 'X') + " / HTTP/1.1\r\n";
    EXPECT_EQ(looks_like_http1_request(as_bytes(longest)), Parse::ok);
    EXPECT_EQ(looks_like_http1_request(as_bytes("X" + longest)), Parse::not_this);
    std::string endless = "GET /";
    endless.append(kRequestLineBytesMax, 'a');
    EXPECT_EQ(looks_like_http1_request(as_bytes(endless)), Parse::not_this);
}

TEST(Http1Recogniser, RefusesRandomBytes) {
    std::mt19937 random(7);
    int asked = 0;
    for (int round = 0; round < 20000; ++round) {
        std::uint8_t bytes[64];
        for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
        ASSERT_NE(looks_like_http1_request(bytes), Parse::ok);
        ASSERT_EQ(looks_like_http1_response(bytes), Parse::not_this);
        if (looks_like_http1_request(bytes) == Parse::need_more) ++asked;
    }
    EXPECT_EQ(asked, 0);
}

constexpr std::string_view kChunked =
    "4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Trailer: 1\r\n\r\n";

TEST(ChunkedSkipper, CrossesEverySplit) {
    for (std::size_t split = 0; split <= kChunked.size(); ++split) {
        ChunkedSkipper chunks;
        std::size_t consumed = 0;
        const Parse first = chunks.feed(as_bytes(kChunked.substr(0, split)), consumed);
        EXPECT_EQ(consumed, split);
        if (split == kChunked.size()) {
            EXPECT_EQ(first, Parse::ok);
            continue;
        }
        EXPECT_EQ(first, Parse::need_more) << split;
        const std::string rest = std::string(kChunked.substr(split)) + "GET /";
        EXPECT_EQ(chunks.feed(as_bytes(rest), consumed), Parse::ok) << split;
        EXPECT_EQ(consumed, rest.size() - 5);
    }
}

TEST(ChunkedSkipper, SaysWhatNeedNotBeSeen) {
    ChunkedSkipper chunks;
    std::size_t consumed = 0;
    EXPECT_EQ(chunks.feed(as_bytes("1000\r\nab"), consumed), Parse::need_more);
    EXPECT_EQ(chunks.skippable(), 4094u);
    chunks.skipped(4000);
    EXPECT_EQ(chunks.skippable(), 94u);
    chunks.skipped(94);
    EXPECT_EQ(chunks.skippable(), 0u);
    EXPECT_EQ(chunks.feed(as_bytes("\r\n0\r\n\r\n"), consumed), Parse::ok);
    EXPECT_EQ(consumed, 7u);
}

TEST(ChunkedSkipper, RefusesWhatIsNotChunked) {
    const auto fed = [](std::string_view text) {
        ChunkedSkipper chunks;
        std::size_t consumed = 0;
        return chunks.feed(as_bytes(text), consumed);
    };
    EXPECT_EQ(fed("hello"), Parse::malformed);
    EXPECT_EQ(fed("\r\n"), Parse::malformed);
    EXPECT_EQ(fed("4\r\nWikiXX"), Parse::malformed);
    EXPECT_EQ(fed("1000000000000000\r\n"), Parse::need_more);
    EXPECT_EQ(fed("1000000000000001\r\n"), Parse::limit);
    EXPECT_EQ(fed("4;" + std::string(kHeadBytesMax, 'e')), Parse::limit);
    EXPECT_EQ(fed("0\r\n" + std::string(kHeadBytesMax + 8, 't')), Parse::limit);
}

}  // namespace
