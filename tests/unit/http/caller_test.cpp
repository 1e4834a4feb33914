// Callers: keys wherever they stand, the nearest proxy's word, nothing past the bounds.
#include "dataplane/http/caller.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/http/http1.h"

namespace seine::http {
namespace {

class CallerOf {
  public:
    explicit CallerOf(std::string head)
        : text_("GET /v1?k=q1&x=2&api_key=q2#k=no HTTP/1.1\r\n" + head + "\r\n") {
        EXPECT_EQ(parse_request(as_bytes(text_), *request_), Parse::ok);
        EXPECT_TRUE(added_.add("X-Our-Key"));
        read_caller(*request_, added_, caller);
    }
    Caller caller;

  private:
    std::string text_;
    std::unique_ptr<Request> request_ = std::make_unique<Request>();
    SecretNames added_;
};

std::vector<std::string> keys(const Caller& caller) {
    return {caller.keys.data(), caller.keys.data() + caller.keys.size()};
}

TEST(Caller, KeysOfHeadersAndQuery) {
    const CallerOf plain("authorization: Bearer a\r\nX-API-Key: b\r\nCookie: k=c\r\n");
    EXPECT_EQ(keys(plain.caller), (std::vector<std::string>{"Bearer a", "b", "q1", "q2"}));
    const CallerOf own("x-our-key: z\r\n");
    EXPECT_EQ(keys(own.caller), (std::vector<std::string>{"z", "q1", "q2"}));
    const CallerOf many(
        "x-api-key: 1\r\nx-api-key: 2\r\nx-api-key: 3\r\nx-api-key: 4\r\nx-api-key: 5\r\n");
    EXPECT_EQ(many.caller.keys.size(), Caller::kKeysMax);
}

TEST(Caller, TheNearestProxysWordCounts) {
    EXPECT_EQ(CallerOf("X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n").caller.forwarded_for, "2.2.2.2");
    EXPECT_EQ(CallerOf("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 3.3.3.3:99\r\n")
                  .caller.forwarded_for,
              "3.3.3.3:99");
    const CallerOf both(
        "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=9.9.9.9, "
        "for=\"[2001:db8::1]:47\";proto=https\r\n"
        "X-Client-Port: 4711\r\nX-Request-ID: abc\r\n");
    EXPECT_EQ(both.caller.forwarded_for, "[2001:db8::1]:47");
    EXPECT_EQ(both.caller.forwarded_port, 4711);
    EXPECT_EQ(both.caller.request_id, "abc");
    EXPECT_EQ(CallerOf("X-Client-Port: 99999\r\n").caller.forwarded_port, 0);
    EXPECT_EQ(CallerOf("X-Client-Port: 1x\r\n").caller.forwarded_port, 0);
    EXPECT_EQ(CallerOf("X-Forwarded-For: " + std::string(300, '1') + "\r\n").caller.forwarded_for,
              "");
}

TEST(Caller, ForwardedAsItsRfcWritesIt) {
    EXPECT_EQ(last_forwarded("for=192.0.2.43, For=\"[2001:db8:cafe::17]\""), "[2001:db8:cafe::17]");
    EXPECT_EQ(last_forwarded("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
    EXPECT_EQ(last_forwarded("by=203.0.113.43;for=\"_gazonk,x;y\""), "_gazonk,x;y");
    for (const char* value : {"", ",", "proto=http", "for", "for=", "\"", "=;=;,="}) {
        EXPECT_EQ(last_forwarded(value), "") << value;
    }
}

}  // namespace
}  // namespace seine::http
