// Seine's header-order descriptor: what enters, what stays out, letter case, count.
#include "dataplane/fingerprint/http_order.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/crypto/digest.h"
#include "dataplane/http/http1.h"

namespace {

using namespace seine;

std::string order(std::string_view text) {
    const auto request = std::make_unique<http::Request>();
    EXPECT_EQ(http::parse_request(as_bytes(text), *request), Parse::ok) << text;
    crypto::Digester digester;
    FixedString<fingerprint::kHdrOrderBytesMax> out;
    fingerprint::hdr_order(*request, digester, out);
    return std::string(out.view());
}

// The hash is `printf %s host,user-agent,accept | sha256sum`.
TEST(HdrOrder, HashesLowerCaseNamesInOrder) {
    EXPECT_EQ(order("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nAccept: a\r\n\r\n"),
              "11nt03_042112399351");
    EXPECT_EQ(order("POST / HTTP/1.0\r\nhost: h\r\nuser-agent: u\r\naccept: a\r\n\r\n"),
              "10bl03_042112399351");
    EXPECT_EQ(order("PUT / HTTP/1.1\r\nHOST: h\r\nUser-Agent: u\r\naccept: a\r\n\r\n"),
              "11bm03_042112399351");
    EXPECT_NE(order("GET / HTTP/1.1\r\nUser-Agent: u\r\nHost: h\r\nAccept: a\r\n\r\n"),
              "11nt03_042112399351");
}

TEST(HdrOrder, LeavesOutWhatFollowsFromTheClientsState) {
    EXPECT_EQ(
        order("GET / HTTP/1.1\r\nHost: h\r\nCookie: c\r\nUser-Agent: u\r\nIf-None-Match: x\r\n"
              "Range: bytes=0-\r\nReferer: r\r\nAccept: a\r\nIf-Modified-Since: d\r\n\r\n"),
        "11nt03_042112399351");
}

TEST(HdrOrder, ValuesNeverEnter) {
    EXPECT_EQ(order("GET /a?b HTTP/1.1\r\nHost: other\r\nUser-Agent: else\r\nAccept: */*\r\n\r\n"),
              "11nt03_042112399351");
}

TEST(HdrOrder, NothingLeftIsZeros) {
    EXPECT_EQ(order("PATCH / HTTP/1.1\r\nCookie: c\r\n\r\n"), "11bl00_000000000000");
}

TEST(HdrOrder, PseudoHeadersStayOutInHttp2) {
    http::Request request;
    request.method = "GET";
    request.version = {2, 0};
    for (const char* name : {":method", ":path", "host", "user-agent", "accept"})
        ASSERT_TRUE(request.headers.push(name, "v"));
    crypto::Digester digester;
    FixedString<fingerprint::kHdrOrderBytesMax> out;
    fingerprint::hdr_order(request, digester, out);
    EXPECT_EQ(out.view(), "20nl03_042112399351");
}

TEST(HdrOrder, CountIsCapped) {
    std::string head = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 150; ++i) head += "X-A: v\r\n";
    EXPECT_EQ(order(head + "\r\n").substr(0, 7), "11nt99_");
}

}  // namespace
