// JA4H: published pairs of the method's own captures, and the rules of fingerprints.md one by one.
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4h.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/crypto/digest.h"
#include "dataplane/http/http1.h"

namespace {

using namespace seine;
using namespace seine::fingerprint;

struct Made {
    std::string hashed;
    std::string raw;
    std::string wire;
};

Made make(const http::Request& request) {
    crypto::Digester digester;
    FixedString<kJa4hBytesMax> hashed;
    FixedString<kJa4hRawBytesMax> raw;
    Made made;
    if (!ja4h(request, digester, hashed)) return {"none", "none", "none"};
    made.hashed = hashed.view();
    EXPECT_TRUE(ja4h_raw(request, CookieOrder::sorted, raw));
    made.raw = raw.view();
    EXPECT_TRUE(ja4h_raw(request, CookieOrder::wire, raw));
    made.wire = raw.view();
    return made;
}
Made make(std::string_view text) {
    const auto request = std::make_unique<http::Request>();
    EXPECT_EQ(http::parse_request(as_bytes(text), *request), Parse::ok) << text;
    return make(*request);
}

// Value and raw form: foxio-http1-with-cookies.pcapng of the FoxIO repository.
TEST(Ja4h, MatchesThePublishedRequestWithCookies) {
    const Made made = make(
        "GET /cookies HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nAccept: a\r\nAccept-Language: da\r\n"
        "Referer: r\r\nCookie: yummy_cookie=choco; tasty_cookie=strawberry\r\n\r\n");
    EXPECT_EQ(made.hashed, "ge11cr04da00_8ddaef5d77af_280f366eaa04_c2fb0fe53442");
    EXPECT_EQ(made.raw,
              "ge11cr04da00_Host,User-Agent,Accept,Accept-Language_tasty_cookie,yummy_cookie_"
              "tasty_cookie=strawberry,yummy_cookie=choco");
    EXPECT_EQ(made.wire,
              "ge11cr04da00_Host,User-Agent,Accept,Accept-Language_yummy_cookie,tasty_cookie_"
              "yummy_cookie=choco,tasty_cookie=strawberry");
}

// zeek-nflog-http.pcap and many others of the shared vectors.
TEST(Ja4h, MatchesAPlainRequest) {
    const Made made = make("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nAccept: */*\r\n\r\n");
    EXPECT_EQ(made.hashed, "ge11nn030000_fe444ad14866_000000000000_000000000000");
    EXPECT_EQ(made.raw, "ge11nn030000_Host,User-Agent,Accept__");
}

TEST(Ja4h, EmptyListsAreZeros) {
    EXPECT_EQ(make("GET / HTTP/1.0\r\n\r\n").hashed,
              "ge10nn000000_000000000000_000000000000_000000000000");
    EXPECT_EQ(make("GET / HTTP/1.0\r\ncookie: ; ;\r\n\r\n").raw, "ge10cn000000___");
}

TEST(Ja4h, LanguageIsCutFoldedAndPadded) {
    const auto language = [](const std::string& value) {
        return make("GET / HTTP/1.1\r\nACCEPT-LANGUAGE: " + value + "\r\n\r\n").hashed.substr(8, 4);
    };
    EXPECT_EQ(language("en-US,en;q=0.5"), "enus");
    EXPECT_EQ(language("da"), "da00");
    EXPECT_EQ(language("fr;q=1"), "fr00");
    EXPECT_EQ(language("zh-Hant-TW"), "zhha");
    EXPECT_EQ(language("*"), "*000");
    EXPECT_EQ(language(""), "0000");
}

TEST(Ja4h, CookiesSortByNameThenValue) {
    const Made made =
        make("GET / HTTP/1.1\r\nCookie: a-b=1; a=3;a=2 ; lone\r\nCookie: 0=z\r\n\r\n");
    EXPECT_EQ(made.raw, "ge11cn000000__0,a,a,a-b,lone_0=z,a=2,a=3,a-b=1,lone");
    EXPECT_EQ(made.wire, "ge11cn000000__a-b,a,a,lone,0_a-b=1,a=3,a=2,lone,0=z");
    EXPECT_EQ(make("GET / HTTP/1.1\r\nCookie: a=b=c;=d\r\n\r\n").raw, "ge11cn000000__,a_=d,a=b=c");
}

TEST(Ja4h, PseudoHeadersDoNotCount) {
    http::Request request;
    request.method = "POST";
    request.version = {2, 0};
    for (const char* name : {":method", ":path", "accept", "referer", "content-type"})
        ASSERT_TRUE(request.headers.push(name, "v"));
    EXPECT_EQ(make(request).raw, "po20nr020000_accept,content-type__");
}

TEST(Ja4h, CountIsCappedAndTheHashCoversAll) {
    std::string head = "DELETE / HTTP/1.1\r\n";
    for (int i = 0; i < 120; ++i)
        head += "a-rather-long-header-name-" + std::to_string(i) + ": v\r\n";
    const Made made = make(head + "\r\n");
    EXPECT_EQ(made.hashed.substr(0, 12), "de11nn990000");
    EXPECT_NE(made.hashed, make(head + "one-more: v\r\n\r\n").hashed);
}

TEST(Ja4h, SaysWhenThereIsNone) {
    http::Request request;
    request.method = "G";
    EXPECT_EQ(make(request).hashed, "none");
    std::string cookies = "GET / HTTP/1.1\r\nCookie: ";
    for (std::size_t i = 0; i < kJa4hCookiesMax; ++i) cookies += "a=b;";
    EXPECT_NE(make(cookies + "\r\n\r\n").hashed, "none");
    EXPECT_EQ(make(cookies + "c=d\r\n\r\n").hashed, "none");
}

TEST(Ja4h, RawFormsSayWhenTheyAreCut) {
    const auto request = std::make_unique<http::Request>();
    const std::string text = "GET / HTTP/1.1\r\nCookie: a=" + std::string(5000, 'x') + "\r\n\r\n";
    ASSERT_EQ(http::parse_request(as_bytes(text), *request), Parse::ok);
    FixedString<kJa4hRawBytesMax> raw;
    EXPECT_TRUE(ja4h_raw(*request, CookieOrder::sorted, raw));
    EXPECT_TRUE(raw.truncated());
}

}  // namespace
#endif
