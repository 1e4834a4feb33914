// Suricata's rules: each keyword with what converts and what is refused, and why.
#include "control/signature/import_suricata.h"

#include <gtest/gtest.h>

#include "control/signature/suricata_buffers.h"
#include "dataplane/signature/evaluate.h"
#include "dataplane/signature/rule_file.h"

namespace seine::control_signature {
namespace {

std::string rule(const std::string& options, const std::string& protocol = "http") {
    return "alert " + protocol + " any any -> any any (msg:\"m\"; flow:established,to_server; " +
           options + " sid:7; rev:2;)";
}
std::string from_server(const std::string& options) {
    return "alert tls any any -> any any (msg:\"m\"; flow:established,to_client; " + options +
           " sid:7;)";
}

struct Converts {
    std::string line;
    const char* field;
    const char* yes;
    const char* no;
};

bool matches(const std::string& toml, const Converts& one, const char* value) {
    const signature::LoadedRules loaded = signature::read_rules_text("f.toml", toml, "");
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.lines() << toml;
    const auto evaluator = signature::Evaluator::make(loaded.set);
    signature::Subject subject;
    signature::FieldRef field;
    EXPECT_TRUE(signature::find_field(one.field, field)) << one.field;
    subject.add(field, value);
    return !evaluator->matches(subject).empty();
}

TEST(ImportSuricata, ConvertsWhatItCanSayExactly) {
    const Converts cases[] = {
        {rule("http.user_agent; content:\"python-requests\"; nocase;"), "http.user_agent",
         "x Python-Requests/2", "curl"},
        {rule("http.user_agent; content:\"curl/\"; startswith;"), "http.user_agent", "curl/8",
         "a curl/8"},
        {rule("http.user_agent; content:\"bot\"; endswith;"), "http.user_agent", "mybot", "bots"},
        {rule("http.user_agent; content:\"exact\"; bsize:5;"), "http.user_agent", "exact",
         "exact1"},
        {rule("content:\"zgrab\"; http_user_agent;"), "http.user_agent", "Mozilla zgrab/0.x",
         "zmap"},
        {rule("http.user_agent; content:\"a\"; content:\"b\"; distance:1; within:3;"),
         "http.user_agent", "axxxb", "axxxxb"},
        {rule("http.user_agent; content:\"a\"; content:\"b\"; distance:1; within:3;"),
         "http.user_agent", "axb", "ab"},
        // within counts from where distance ends, there as here
        {rule("http.user_agent; content:\"a\"; content:\"bcd\"; distance:2; within:3;"),
         "http.user_agent", "axxbcd", "axxxbcd"},
        {rule("http.user_agent; pcre:\"/^x[\\\\/]y/\";"), "http.user_agent", "x\\y", "xy"},
        {rule("http.user_agent; content:\"ab\"; offset:1; depth:3;"), "http.user_agent", "xxab",
         "xxxab"},
        {rule("http.user_agent; content:\"x|20|y\";"), "http.user_agent", "ax yb", "xy"},
        {rule("http.user_agent; content:\"a\"; content:!\"b\";"), "http.user_agent", "ac", "ab"},
        {rule("http.user_agent; pcre:\"/^go-http-client\\/[12]/i\";"), "http.user_agent",
         "Go-http-client/2.0", "Go-http-client/3"},
        {rule("ja3.hash; content:\"E7D705A3286E19EA42F587B344EE6865\";", "tls"), "tls.ja3",
         "e7d705a3286e19ea42f587b344ee6865", "f7d705a3286e19ea42f587b344ee6865"},
        {rule("http.method; content:\"DELETE\"; bsize:6;"), "http.method", "DELETE", "GET"},
        {rule("http.uri; content:\"/v1/models\"; startswith;"), "http.path", "/v1/models/x",
         "/x/v1/models"},
        {rule("http.host; content:\"api.\"; startswith;"), "http.host", "API.example.com",
         "x.api.y"},
        {rule("http.header; content:\"X-Scan|3a 20|yes\";"), "http.header.x-scan", "yes please",
         "no"},
        {rule("http.header; content:\"X-Scan|3a 20|yes|0d 0a|\";"), "http.header.x-scan", "yes",
         "yes please"},
        {rule("http.accept; content:\"*/*\"; bsize:3;"), "http.header.accept", "*/*", "text/html"},
        {rule("http.accept_lang; content:\"zh\";"), "http.header.accept-language", "zh-CN", "en"},
        {rule("http.accept_enc; content:\"zstd\";"), "http.header.accept-encoding", "gzip, zstd",
         "gzip"},
        {rule("http.referer; content:\"evil\";"), "http.header.referer", "http://evil/",
         "http://good/"},
        {rule("http.cookie; content:\"sid=\";"), "http.header.cookie", "a=1; sid=2", "a=1"},
        {rule("http.content_type; content:\"json\";"), "http.header.content-type",
         "application/json", "text/plain"},
        {rule("http.content_len; content:\"0\"; bsize:1;"), "http.header.content-length", "0",
         "10"},
        {rule("http.connection; content:\"close\";"), "http.header.connection", "close",
         "keep-alive"},
        {rule("http.protocol; content:\"HTTP/1.0\";"), "http.version", "1.0", "1.1"},
        {rule("http.request_body; content:\"ignore previous\"; nocase;"), "http.body",
         "please Ignore previous", "hello"},
        {rule("tls.sni; content:\".onion.example\"; endswith;", "tls"), "tls.sni",
         "a.onion.example", "onion.example.org"},
        {rule("quic.sni; content:\"x.example\";", "quic"), "tls.sni", "x.example", "y.example"},
        {rule("ja3.hash; content:\"e7d705a3286e19ea42f587b344ee6865\";", "tls"), "tls.ja3",
         "e7d705a3286e19ea42f587b344ee6865", "00"},
        {rule("ja4.hash; content:\"t13d1516h2_8daaf6152771_e5627efa2ab1\";", "tls"), "tls.ja4",
         "t13d1516h2_8daaf6152771_e5627efa2ab1", "t13"},
        {rule("tls.alpn; content:\"h2\"; bsize:2;", "tls"), "tls.alpn", "h2", "h2c"},
        {from_server("tls.subjectaltname; content:\"bad.example\"; endswith;"), "cert.san", "a.bad.example",
         "good.example"},
        {rule("http.uri.raw; content:\"/v1/files\"; startswith;"), "http.path", "/v1/files", "/v2"},
        {rule("http.host.raw; content:\"api.\"; startswith;"), "http.host", "api.x", "x.api.y"},
        {rule("http.header.raw; content:\"X-Scan|3a 20|yes\";"), "http.header.x-scan", "yes", "no"},
        {from_server("http.response_body; content:\"leaked\";"), "http.response_body", "it leaked", "no"},
        {from_server("ssh.hassh.server; content:\"b5752e36\"; startswith;"), "ssh.hassh_server",
         "b5752e36ba6c5979a575e43178908adf", "aa"},
        {from_server("ja3s.hash; content:\"aa\";"), "tls.ja3s", "aabb", "bb"},
        {from_server("tls.cert_subject; content:\"CN=bad.example\";"), "cert.subject",
         "bad.example", "good.example"},
        {from_server("tls.cert_issuer; content:\"CN=Bad CA\";"), "cert.issuer", "Bad CA 2",
         "A Bad CA"},
        {from_server("tls.cert_serial; content:\"5C:19\"; startswith;"), "cert.serial", "5c19b7",
         "005c19"},
        {rule("quic.version; content:\"Q046\";", "quic"), "quic.version", "51303436", "00000001"},
        {rule("ssh.software; content:\"libssh\"; startswith;", "ssh"), "ssh.client",
         "SSH-2.0-libssh_0.9", "SSH-2.0-OpenSSH_9 libssh"},
        {rule("ssh.proto; content:\"1.99\"; bsize:4;", "ssh"), "ssh.client", "SSH-1.99-x",
         "SSH-2.0-1.99"},
        {rule("ssh.hassh; content:\"b5752e36\"; startswith;", "ssh"), "ssh.hassh",
         "b5752e36ba6c5979a575e43178908adf", "aab5752e36"},
    };
    for (const Converts& one : cases) {
        const Imported imported = import_suricata("t.rules", one.line);
        ASSERT_EQ(imported.lines.size(), 1u);
        EXPECT_TRUE(imported.lines[0].converted) << one.line << ": " << imported.lines[0].reason;
        if (!imported.lines[0].converted) continue;
        EXPECT_TRUE(matches(imported.toml, one, one.yes)) << one.line << "\n" << imported.toml;
        EXPECT_FALSE(matches(imported.toml, one, one.no)) << one.line << "\n" << imported.toml;
    }
}

struct Refused {
    std::string line;
    const char* reason;
};

TEST(ImportSuricata, RefusesByNameWhatItCannot) {
    const std::string agent = "http.user_agent; content:\"a\"; ";
    const Refused cases[] = {
        {rule(agent + "lua:x.lua;"), "lua runs a script"},
        {rule(agent + "byte_test:4,>,1,0;"), "byte_test computes"},
        {rule(agent + "byte_jump:4,0;"), "byte_jump computes"},
        {rule(agent + "isdataat:10;"), "isdataat asks"},
        {rule(agent + "flowbits:set,x;"), "flowbits remembers"},
        {rule(agent + "dataset:isset,x;"), "dataset names"},
        {rule(agent + "urilen:>10;"), "urilen asks"},
        {rule(agent + "madeup:1;"), "keyword `madeup` is not one"},
        {rule("content:\"raw\";"), "a content without a buffer"},
        {rule("http.uri; content:\"?key=\";"), "the query behind `?` is not kept"},
        {rule("http.uri; content:\"x\"; endswith;"), "the query behind `?` is not kept"},
        {rule("http.header; content:\"gzip\";"), "only \"Name: value\""},
        {rule("http.header_names; content:\"X\";"), "http.header_names spells"},
        {rule("ja3.string; content:\"771\";"), "ja3.string looks"},
        {rule("tls.sni; dotprefix; content:\".a\";", "tls"), "dotprefix changes"},
        {rule("http.user_agent; pcre:\"/a/R\";"), "/R"},
        {rule("http.user_agent; pcre:\"/a/Q\";"), "/Q: it names its buffer by a flag"},
        {rule("http.user_agent; pcre:\"/a/O\";"), "/O: a flag this import does not know"},
        {rule(agent + "content:\"b\"; distance:1; depth:4;"), "has a place of its own"},
        {rule("http.user_agent; content:\"a\"; startswith; offset:1;"), "startswith together with offset"},
        {rule(agent + "content:!\"b\"; bsize:1;"), "bsize behind a content that must be absent"},
        {rule("http.host; content:\"Evil.com\";"), "http.host is lowered"},
        {rule("http.user_agent; content:!\"a\";"), "nothing that must be there"},
        {rule("quic.version; content:\"|00 00 00 01|\";", "quic"), "quic.version"},
        {rule("ja3s.hash; content:\"aa\";", "tls"), "is not what flow:to_server carries"},
        {from_server("tls.cert_subject; content:\"O=Evil\";"), "the common name is kept"},
        {from_server("tls.cert_fingerprint; content:\"aa\";"), "tls.cert_fingerprint looks"},
        {"drop http any any -> any any (http.user_agent; content:\"a\"; sid:1;)", "action `drop`"},
        {"alert smb any any -> any any (content:\"a\"; sid:1;)", "protocol `smb`"},
        {"alert http any any <> any any (http.user_agent; content:\"a\"; sid:1;)",
         "direction `<>`"},
        {"alert http $HOME_NET any -> any any (http.user_agent; content:\"a\"; sid:1;)",
         "--define HOME_NET="},
        {"alert http any any -> any any (http.user_agent; content:\"a\";)", "no sid"},
        {"alert http any any -> any any (http.user_agent; content:\"a\" sid:1;)",
         "no sid"},
        {"alert http any any -> any", "the line ends before its options"},
        {rule(agent + "threshold:type both, track by_src, count 1, seconds 60;"),
         "threshold of type"},
    };
    for (const Refused& one : cases) {
        const Imported imported = import_suricata("t.rules", one.line);
        ASSERT_EQ(imported.lines.size(), 1u) << one.line;
        EXPECT_FALSE(imported.lines[0].converted) << one.line << imported.toml;
        EXPECT_NE(imported.lines[0].reason.find(one.reason), std::string::npos)
            << one.line << ": " << imported.lines[0].reason;
        EXPECT_TRUE(imported.toml.empty());
    }
}

// Every keyword that is refused is refused by its name and says why, beside a condition that would convert.
TEST(ImportSuricata, RefusesEachKeywordOfItsListByName) {
    for (const std::string_view keyword : refused_keywords()) {
        const std::string line = rule("http.user_agent; content:\"a\"; " + std::string(keyword) + ":1;");
        const Imported imported = import_suricata("t.rules", line);
        ASSERT_EQ(imported.lines.size(), 1u) << line;
        EXPECT_FALSE(imported.lines[0].converted) << line;
        EXPECT_EQ(imported.lines[0].reason.rfind(std::string(keyword) + " ", 0), 0u) << imported.lines[0].reason;
        EXPECT_TRUE(imported.toml.empty());
    }
}

// Every buffer is known in its direction, and each old name is the buffer of today.
TEST(ImportSuricata, KnowsEachBufferAndEachOldName) {
    for (const std::string_view keyword : buffer_keywords()) {
        bool converted = false;
        std::string reason;
        for (const char* content : {"content:\"CN=abc\";", "content:\"X-Abc|3a 20|v\";", "content:\"HTTP/1.0\";",
                                    "content:\"Q046\";", "content:\"1.99\"; bsize:4;", "content:\"5C:19\"; startswith;",
                                    "content:\"abc\"; startswith;"}) {
            const std::string options = std::string(keyword) + "; " + content;
            for (const std::string& line : {rule(options, "ip"), from_server(options)}) {
                const Imported imported = import_suricata("t.rules", line);
                converted = converted || imported.lines[0].converted;
                reason = imported.lines[0].reason;
            }
        }
        EXPECT_TRUE(converted) << keyword << ": " << reason;
    }
    for (const std::string_view name : old_names())
        EXPECT_NE(find_buffer(modern_name(name)), nullptr) << name;
}

TEST(ImportSuricata, KeepsEndsLimitsAndNames) {
    ImportOptions options;
    options.variables["HOME_NET"] = "10.0.0.0/8";
    options.variables["HTTP_PORTS"] = "[80,8000:8100]";
    const Imported imported =
        import_suricata("t.rules",
                        "# a remark\n\nalert http any any -> $HOME_NET $HTTP_PORTS (msg:\"It, "
                        "\\\"quoted\\\"\"; flow:to_server; http.method; content:\"PUT\"; "
                        "threshold:type limit, track by_src, count 3, seconds 3600; "
                        "reference:url,example.com/x; priority:1; sid:9; rev:4;)\n",
                        options);
    ASSERT_EQ(imported.converted, 1u) << imported.lines[0].reason;
    EXPECT_EQ(imported.lines[0].line, 3u);
    for (const char* part :
         {"id = \"sid-9\"", "version = 4", "severity = \"high\"", "per_source = \"3/h\"",
          "ports = [\"80\", \"8000-8100\"]", "equals = [\"10.0.0.0/8\"]", "url,example.com/x"})
        EXPECT_NE(imported.toml.find(part), std::string::npos) << part << "\n" << imported.toml;
}

TEST(ImportSuricata, JoinsLinesThatGoOn) {
    const Imported imported = import_suricata(
        "t.rules",
        "# off \\\nalert http any any -> any any (http.user_agent; \\\r\n  content:\"a b\"; prefilter; \\\n sid:1;)\r\n"
        "alert http any any -> any any (http.user_agent; content:\"c\"; sid:2;)\nalert \\");
    ASSERT_EQ(imported.lines.size(), 3u);
    EXPECT_EQ(imported.converted, 2u) << imported.lines[0].reason;
    EXPECT_EQ(imported.lines[0].line, 2u);
    EXPECT_EQ(imported.lines[1].line, 5u);
    EXPECT_EQ(imported.lines[2].line, 6u);
    EXPECT_NE(imported.toml.find("contains = \"a b\""), std::string::npos) << imported.toml;
}

}  // namespace
}  // namespace seine::control_signature
