// Agents against TLS stacks that no capture pairs: every agent of the shipped packs with every
// hello below. What may make such a hello under such an agent passes; every other pair is flagged.
#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/signature/evaluate.h"
#include "dataplane/signature/rule_file.h"

namespace seine::signature {
namespace {

struct Hello {
    const char* name;
    const char* traits;
    const char* ja4;
    const char* alpn;  // by spaces
    bool quic;
};

// Named after who makes them. From captures of real clients, and, for releases that no capture here
// has, what the libraries' sources say: OpenSSL 3.4 and later (renegotiation_info for its suite,
// X25519MLKEM768, certificate compression), libraries that resume, processors without AES, and what
// was before TLS 1.3.
constexpr Hello kHellos[] = {
    {"curl_h2", "231f/001d/PEemavFXSD58", "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", "h2 http/1.1",
     false},
    {"curl_http1", "231f/001d/PEemavFXSD58", "t13d3112h1_e8f1e7e78f70_b26ce05bbdd6", "http/1.1",
     false},
    {"curl_tls12", "-/001d/PEevXD58", "t12d2807h2_d943125447b4_a44c6288192a", "h2 http/1.1", false},
    {"curl_newer", "231f/11ec/PEecmarMFXS58", "t13d3014h2_1d37bd780c83_8e6e362c5eac", "h2 http/1.1",
     false},
    {"curl_gnutls", "2314f/0017/opEelrFXS158", "t13d2912h2_723694b0fccc_288f874c93d6",
     "h2 http/1.1", false},
    {"curl_schannel", "21f/001d/opetmrSD1", "t13d1912h2_d83cc789557e_7af1ed941c26", "h2 http/1.1",
     false},
    {"curl_libressl", "231f/001d/ptmS1", "t13d2610h2_0b5b1b3b4b1c_0e1e2e3e4e5e", "h2 http/1.1",
     false},
    {"curl_mbedtls", "321f/001d/pEemS", "t13d3010h1_0b5b1b3b4b1c_0e1e2e3e4e5e", "http/1.1", false},
    {"wget_gnutls", "2314f/0017/optlmarFXS158", "t13d291300_723694b0fccc_899037bd0b8c", "", false},
    {"wget_openssl", "231f/001d/PEetmavFXSD58", "t13d311200_e8f1e7e78f70_d339722ba4af", "", false},
    {"wget2_gnutls", "2314f/0017/opEetlmrFXS158", "t13d2914h2_723694b0fccc_af435d46f2e2",
     "h2 http/1.1", false},
    {"apt_gnutls", "2314f/0017/opEetlmrFXS158", "t13d291300_723694b0fccc_2cc26d266019", "", false},
    {"ngtcp2_gnutls", "1234f/001d/opEetlmr158", "q13d0415h3_9caa18292e23_84684a673e38", "h3", true},
    {"requests", "231f/001d/PEemavFXSD58", "t13d4312h1_c7886603b240_b26ce05bbdd6", "http/1.1",
     false},
    {"requests_newer", "231f/11ec/PEemarMFXS58", "t13d1712h1_5b57614c22b0_8e6e362c5eac", "http/1.1",
     false},
    {"urllib", "231f/001d/PEetmavFXSD58", "t13d3113h1_e8f1e7e78f70_d339722ba4af", "http/1.1",
     false},
    {"httpx", "231f/001d/PEetmvFXSD58", "t13d3112h1_e8f1e7e78f70_d41ae481755e", "http/1.1", false},
    {"httpx_resumed", "231f/001d/PEetmvFXSD58", "t13d3113h1_e8f1e7e78f70_dbd39dd1d406", "http/1.1",
     false},
    {"httpx_h2", "231f/001d/PEetmavFXSD58", "t13d4313h1_c7886603b240_d339722ba4af", "http/1.1 h2",
     false},
    {"httpx_newer", "231f/11ec/PEetmrMFXS58", "t13d1712h1_5b57614c22b0_8e6e362c5eac", "http/1.1",
     false},
    {"httpx_libressl", "231f/001d/ptmS1", "t13d2610h1_0b5b1b3b4b1c_0e1e2e3e4e5e", "http/1.1",
     false},
    {"no_alpn_openssl", "231f/001d/PEetmvFXSD58", "t13d311100_e8f1e7e78f70_d41ae481755e", "",
     false},
    {"perl", "231f/001d/oPEetmvFXSD58", "t13d311200_e8f1e7e78f70_ccd0985badbe", "", false},
    {"php_stream", "231f/001d/PEetmvFXSD58", "t13d751100_479067518aa3_d41ae481755e", "", false},
    {"node_fetch", "231f/001d/PEetmvFXSD58", "t13d5911h1_a33745022dd6_1f22a2ca17c4", "http/1.1",
     false},
    {"node_resumed", "231f/001d/PEetmvFXSD58", "t13d5912h1_a33745022dd6_dbd39dd1d406", "http/1.1",
     false},
    {"node_https", "231f/001d/PEetmvFXSD58", "t13d591000_a33745022dd6_1f22a2ca17c4", "", false},
    {"node_h2", "231f/001d/PEetmvFXSD58", "t13d5911h2_a33745022dd6_1f22a2ca17c4", "h2", false},
    {"node_24", "231f/11ec/PEetmrMFXS58", "t13d5112h1_b262b3658495_8e6e362c5eac", "http/1.1 h2",
     false},
    {"nghttp", "231f/001d/PEetmnvFXSD58", "t13d1213h2_ed40b14a4398_03aaa766dde5", "h2 h2-16 h2-14",
     false},
    {"chrome_mlkem", "123f/11ec/GgospetcmArhMS", "t13d1516h2_8daaf6152771_d8a2da3f94cd",
     "h2 http/1.1", false},
    {"chrome_resumed", "123f/11ec/GgospetcmArhMS", "t13d1517h2_8daaf6152771_cb7bf5808d99",
     "h2 http/1.1", false},
    {"chrome_no_aes", "312f/11ec/GgospetcmArhMS", "t13d1516h2_8daaf6152771_d8a2da3f94cd",
     "h2 http/1.1", false},
    {"chrome_websocket", "123f/11ec/GgospetcmArhMS", "t13d1516h1_8daaf6152771_d8a2da3f94cd",
     "http/1.1", false},
    {"chrome_2023", "123f/001d/GgospetcmBrS", "t13d1516h2_8daaf6152771_e5627efa2ab1", "h2 http/1.1",
     false},
    {"chrome_quic", "123f/11ec/cmAhM1", "q13d0312h3_55b375c5d22e_178839b6cec1", "h3", true},
    {"firefox_mlkem", "132f/11ec/ospetcldmrhMFS1", "t13d1717h2_5b57614c22b0_3cbfd9057e0d",
     "h2 http/1.1", false},
    {"firefox_2023", "132f/001d/opetldmrFS1", "t13d1715h2_5b57614c22b0_3d5424432f57", "h2 http/1.1",
     false},
    {"firefox_quic", "132f/11ec/oeldmrhM1", "q13d0314h3_55b375c5d22e_61e396c58b1f", "h3", true},
    {"safari", "123f/001d/GgospecmrS1", "t13d2014h2_a09f3c656075_14788d8d241b", "h2 http/1.1",
     false},
    {"safari_mlkem", "213f/11ec/GgospecmrMS1", "t13d2013h2_a09f3c656075_7f0f34a4126d",
     "h2 http/1.1", false},
    {"apple_2019", "123f/001d/ospemrS1", "t13d2613h2_2802a3db6c62_845d286b0d67", "h2 http/1.1",
     false},
    {"go", "132l/11ec/osperMS1", "t13d1312h2_f57a46bbacb6_ef7df7f74e48", "h2 http/1.1", false},
    {"go_no_aes", "312l/001d/osperS1", "t13d1312h2_f57a46bbacb6_ef7df7f74e48", "h2 http/1.1",
     false},
    {"go_2020", "123l/001d/osprS15", "t13d1911h2_9dc949149365_e7c285222651", "h2 http/1.1", false},
    {"go_resuming", "132l/11ec/ospetmrMS1", "t13d1314h1_f57a46bbacb6_ef7df7f74e48", "http/1.1",
     false},
    {"jsse_25", "213f/001d/opetmvFXSD58", "t13d3113h2_1d947a95fc68_7e1102d2036b", "h2 http/1.1",
     false},
    {"jsse_8", "-/0017/oper1D", "t12d260700_db6bc8f7861c_595eacc76d13", "", false},
    {"conscrypt", "123f/001d/opetmrS1", "t13d1713h1_5b57614c22b0_eca864cca44a", "http/1.1", false},
    {"conscrypt_ct", "312f/001d/ospetmrS1", "t13d1714h2_5b57614c22b0_eca864cca44a", "h2 http/1.1",
     false},
    {"bun", "123f/001d/opetmrS1", "t13d1312h1_f57a46bbacb6_78e6aca7449b", "http/1.1", false},
    {"rustls", "213f/001d/opetmvS5", "t13d1011h2_61a7ad8aa9b6_3a8073edd8ef", "h2 http/1.1", false},
    {"rustls_mlkem", "213f/11ec/opemvMS5", "t13d1010h2_61a7ad8aa9b6_3a8073edd8ef", "h2 http/1.1",
     false},
    {"schannel_12", "-/001d/opetr1D", "t12d190800_d83cc789557e_7af1ed941c26", "", false},
    {"mitmproxy", "231f/001d/PEetmvFXSD58", "t13d2911h2_c36778b98fa1_1f22a2ca17c4", "h2 http/1.1",
     false},
    {"nginx_upstream", "-/001d/PEetvXD58", "t12d280700_d943125447b4_e7e480e5a997", "", false},
};

struct Agent {
    const char* text;
    const char* honest;  // names of hellos, by spaces
};

// Two middleboxes that are known may stand before everybody.
constexpr Agent kAgents[] = {
    {"OpenAI/Python 1.99.0", "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl"},
    {"AsyncAnthropic/Python 0.60.0",
     "wget_openssl urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl no_alpn_openssl"},
    {"google-genai-sdk/1.20.0 gl-python/3.11.4",
     "wget_openssl urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl no_alpn_openssl"},
    {"OpenAI/JS 6.49.0",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"Anthropic/JS 0.60.0",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"google-genai-sdk/1.20.0 gl-node/v22.1.0",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"google-genai-sdk/1.8.0 gl-java/17.0.2",
     "jsse_25 jsse_8 conscrypt conscrypt_ct bun schannel_12"},
    {"OpenAI/Go 1.2.0", "go go_no_aes go_2020 go_resuming"},
    {"Go-http-client/2.0", "go go_no_aes go_2020 go_resuming"},
    {"okhttp/4.12.0", "jsse_25 jsse_8 conscrypt conscrypt_ct bun schannel_12"},
    {"OpenAI/Java 2.1.0", "jsse_25 jsse_8 conscrypt conscrypt_ct bun schannel_12"},
    {"Java-http-client/21.0.2", "jsse_25 jsse_8 conscrypt conscrypt_ct bun schannel_12"},
    {"OpenAI/2.2.0 (.NET 9.0.0; Linux 6.1)",
     "no_alpn_openssl perl wget_openssl curl_h2 curl_http1 curl_tls12 curl_newer curl_schannel "
     "curl_libressl requests requests_newer "
     "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl nghttp jsse_8 conscrypt bun "
     "schannel_12"},
    {"reqwest/0.12.9",
     "curl_schannel curl_libressl httpx httpx_resumed httpx_newer httpx_libressl no_alpn_openssl "
     "perl nghttp jsse_8 conscrypt bun rustls rustls_mlkem schannel_12"},
    {"OpenAI/Ruby 0.16.0", "no_alpn_openssl perl"},
    {"GuzzleHttp/7",
     "curl_h2 curl_http1 curl_tls12 curl_newer curl_libressl wget_openssl requests requests_newer "
     "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl no_alpn_openssl perl "
     "php_stream nghttp"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/142.0.0.0 Safari/537.36",
     "chrome_mlkem chrome_resumed chrome_no_aes chrome_websocket chrome_quic"},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
     "Safari/537.36",
     "chrome_mlkem chrome_resumed chrome_no_aes chrome_websocket chrome_2023 chrome_quic"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/203.0.0.0 Safari/537.36 Edg/203.0.0.0",
     "chrome_mlkem chrome_resumed chrome_no_aes chrome_websocket chrome_quic"},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
     "firefox_mlkem firefox_quic"},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/26.0 Safari/605.1.15",
     "safari safari_mlkem apple_2019"},
    {"curl/8.5.0",
     "curl_h2 curl_http1 curl_tls12 curl_newer curl_gnutls curl_schannel curl_libressl "
     "curl_mbedtls ngtcp2_gnutls requests requests_newer httpx_libressl apple_2019 jsse_8 "
     "conscrypt bun rustls rustls_mlkem schannel_12"},
    {"Wget/1.21.3", "wget_gnutls wget_openssl apt_gnutls no_alpn_openssl perl php_stream"},
    {"Wget/2.1.0",
     "curl_h2 curl_http1 curl_tls12 curl_newer curl_gnutls curl_libressl wget_gnutls wget_openssl "
     "wget2_gnutls apt_gnutls ngtcp2_gnutls requests requests_newer urllib httpx httpx_resumed "
     "httpx_h2 httpx_newer httpx_libressl no_alpn_openssl perl php_stream nghttp"},
    {"python-requests/2.32.3", "curl_http1 requests requests_newer"},
    {"Python/3.12 aiohttp/3.9.5",
     "curl_libressl wget_openssl urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl "
     "no_alpn_openssl"},
    {"python-httpx/0.28.1", "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl"},
    {"Python-urllib/3.11",
     "curl_libressl wget_openssl urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl "
     "no_alpn_openssl"},
    {"node",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"undici",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"axios/1.7.2",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"git/2.39.5",
     "curl_h2 curl_http1 curl_tls12 curl_newer curl_gnutls curl_schannel curl_libressl "
     "curl_mbedtls ngtcp2_gnutls requests requests_newer httpx_libressl apple_2019 jsse_8 "
     "conscrypt bun rustls rustls_mlkem schannel_12"},
    {"Debian APT-HTTP/1.3 (2.6.1)",
     "wget_gnutls wget_openssl apt_gnutls no_alpn_openssl perl php_stream"},
    {"aria2/1.36.0",
     "curl_schannel wget_gnutls wget_openssl apt_gnutls no_alpn_openssl perl php_stream jsse_8 "
     "schannel_12"},
    {"lftp/4.9.2", "wget_gnutls wget_openssl apt_gnutls no_alpn_openssl perl php_stream"},
    {"libwww-perl/6.68", "wget_openssl no_alpn_openssl perl php_stream"},
    {"ApacheBench/2.3", "wget_openssl no_alpn_openssl perl php_stream"},
    {"w3m/0.5.3", "wget_openssl no_alpn_openssl perl php_stream"},
    {"PycURL/7.45.2 libcurl/7.88.1 OpenSSL/3.0",
     "curl_h2 curl_http1 curl_tls12 curl_newer curl_gnutls curl_schannel curl_libressl "
     "curl_mbedtls ngtcp2_gnutls requests requests_newer httpx_libressl apple_2019 jsse_8 "
     "conscrypt bun rustls rustls_mlkem schannel_12"},
    {"HTTPie/3.2.1", "curl_http1 requests requests_newer"},
    {"Deno/2.0.0", "rustls rustls_mlkem"},
    {"Bun/1.1.30", "conscrypt bun"},
    {"claude-cli/1.0.60 (external, cli)",
     "node_fetch node_resumed node_https node_h2 node_24 conscrypt bun rustls rustls_mlkem"},
    {"Dart/3.5 (dart:io)", "conscrypt bun"},
    {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 "
     "Mobile Safari/537.36",
     "chrome_mlkem chrome_resumed chrome_no_aes chrome_websocket chrome_quic"},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
     "safari safari_mlkem apple_2019"},
    {"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
     "firefox_mlkem firefox_2023 firefox_quic"},
    {"OpenAI/2.2.0 (.NET 9.0.0; Microsoft Windows 10.0.22631)",
     "no_alpn_openssl perl wget_openssl curl_h2 curl_http1 curl_tls12 curl_newer curl_schannel "
     "curl_libressl requests requests_newer "
     "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl nghttp jsse_8 conscrypt bun "
     "schannel_12"},
    {"Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)", "conscrypt conscrypt_ct bun schannel_12"},
    {"MyApp/7 CFNetwork/1568.200.51 Darwin/24.1.0", "safari safari_mlkem apple_2019 conscrypt_ct"},
    {"codex_cli_rs/0.46.0 (Ubuntu 24.4.0; x86_64)",
     "curl_schannel curl_libressl httpx httpx_resumed httpx_newer httpx_libressl no_alpn_openssl "
     "perl nghttp jsse_8 conscrypt bun rustls rustls_mlkem schannel_12"},
    {"AsyncOpenAI/Python 2.6.1",
     "wget_openssl urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl no_alpn_openssl"},
    {"Anthropic/Python 0.84.0", "urllib httpx httpx_resumed httpx_h2 httpx_newer httpx_libressl"},
};

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end != 0) out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool among(std::string_view name, std::string_view list) {
    const std::vector<std::string_view> all = words(list);
    return std::find(all.begin(), all.end(), name) != all.end();
}

void add(Subject& subject, std::string_view field, std::string_view value) {
    FieldRef ref;
    ASSERT_TRUE(find_field(field, ref)) << field;
    subject.add(ref, value);
}

Subject pair_of(const Agent& agent, const Hello& hello) {
    Subject subject;
    add(subject, "http.user_agent", agent.text);
    add(subject, "tls.traits", hello.traits);
    add(subject, "tls.ja4", hello.ja4);
    for (const std::string_view protocol : words(hello.alpn)) add(subject, "tls.alpn", protocol);
    if (hello.quic) add(subject, "quic.version", "00000001");
    return subject;
}

// The rules that say of the pair that it is not what it claims to be.
std::string flags(const Evaluator& evaluator, const Subject& subject) {
    std::string out;
    for (const std::size_t index : evaluator.matches(subject)) {
        const Rule& rule = evaluator.set().rules[index];
        if (rule.rule_class == "agent-mismatch" || rule.rule_class == "impersonation")
            out += rule.id + " ";
    }
    return out;
}

TEST(AgentStacks, EveryAgentWithEveryHello) {
    const LoadedRules loaded = read_rules(SEINE_SOURCE_DIR "/signatures");
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    const auto evaluator = Evaluator::make(loaded.set);
    ASSERT_TRUE(evaluator);
    std::size_t flagged = 0;
    for (const Agent& agent : kAgents)
        for (const Hello& hello : kHellos) {
            const bool honest =
                among(hello.name, agent.honest) || among(hello.name, "mitmproxy nginx_upstream");
            const std::string by = flags(*evaluator, pair_of(agent, hello));
            EXPECT_EQ(by.empty(), honest) << agent.text << " over " << hello.name << ": " << by;
            flagged += !by.empty();
        }
    EXPECT_GT(flagged, std::size(kAgents) * std::size(kHellos) / 2);
}

// A name that no hello has would make a line of the table say nothing.
TEST(AgentStacks, EveryNameOfTheTableIsAHello) {
    for (const Agent& agent : kAgents)
        for (const std::string_view name : words(agent.honest)) {
            bool found = false;
            for (const Hello& hello : kHellos) found = found || name == hello.name;
            EXPECT_TRUE(found) << agent.text << ": " << name;
        }
}

}  // namespace
}  // namespace seine::signature
