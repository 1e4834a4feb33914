// Log lines: every preset understands what its gateway writes, and says what it does not
// understand.
#include "control/account/json_fields.h"
#include "control/account/line_record.h"
#include "control/account/log_line.h"
#include "tests/unit/account/key_scene.h"

namespace seine::account {
namespace {

using contract::AccountFlags;

std::string fields_of(std::string_view line, Parse expected = Parse::ok) {
    std::string scratch;
    std::string out;
    const Parse parse =
        walk_json(line, scratch, [&out](std::string_view path, std::string_view value) {
            out += std::string(path) + "=" + std::string(value) + ";";
        });
    EXPECT_EQ(static_cast<int>(parse), static_cast<int>(expected)) << line;
    return out;
}

TEST(JsonFields, LeavesWithTheirPaths) {
    EXPECT_EQ(fields_of(R"({"a":"b","c":{"d":[1,"x",{"e":true}],"f":null},"g":-1.5e3})"),
              "a=b;c.d.0=1;c.d.1=x;c.d.2.e=true;g=-1.5e3;");
    EXPECT_EQ(fields_of(R"( { } )"), "");
    EXPECT_EQ(fields_of(R"({"k":"a\"\\\/\b\f\n\r\té😀\x22"})"),
              "k=a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80\";");
}

TEST(JsonFields, AnythingElseIsRefused) {
    for (const char* line :
         {"", "[]", "{", "{}x", R"({"a"})", R"({"a":})", R"({"a":1,})", R"({"a" 1})", R"({a:1})",
          R"({"a":"b)", R"({"a":"\u12"})", R"({"a":"\q"})", R"({"a":tru})", R"({"a":1}})",
          R"({"a":"\ud800\u0041"})"}) {
        fields_of(line, Parse::malformed);
    }
    fields_of(R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}})", Parse::limit);
    fields_of("{\"" + std::string(300, 'n') + "\":1}", Parse::limit);
}

TEST(JsonFields, EveryTruncationIsMalformed) {
    const std::string line = R"({"a":"b\n","c":{"d":[1,{"e":true}]},"g":1.5})";
    for (std::size_t cut = 0; cut < line.size(); ++cut) {
        std::string scratch;
        EXPECT_NE(static_cast<int>(walk_json(std::string_view(line).substr(0, cut), scratch,
                                             [](std::string_view, std::string_view) {})),
                  static_cast<int>(Parse::ok))
            << cut;
    }
}

class LogRequests : public KeyScene {};

TEST_F(LogRequests, AreToldWhereTheyAreAskedFor) {
    Names names(keys(), directory);
    names.now({1795200400 * kSecond});
    const auto source = read_source("edge file /log format=nginx");
    ASSERT_TRUE(source) << source.error().message();
    LineReader reader(*source, names);
    const std::string line =
        R"({"msec":"1795200380.322","remote_addr":"192.0.2.1","remote_port":"4711","x_api_key":"sk-1",)"
        R"("user_agent":"curl/8.5.0","request_method":"POST","http_host":"api.test","server_protocol":"HTTP/2.0",)"
        R"("request":"POST /v1/x?api_key=sk-2 HTTP/2.0"})";
    SourceRecord record;
    ASSERT_EQ(static_cast<int>(reader.read(line, {1795200400 * kSecond}, record)), static_cast<int>(Parse::ok));
    EXPECT_EQ(record.said, nullptr);
    reader.tell_requests(true);
    ASSERT_EQ(static_cast<int>(reader.read(line, {1795200400 * kSecond}, record)), static_cast<int>(Parse::ok));
    ASSERT_NE(record.said, nullptr);
    EXPECT_EQ(record.said->user_agent, "curl/8.5.0");
    EXPECT_EQ(record.said->method, "POST");
    EXPECT_EQ(record.said->host, "api.test");
    EXPECT_EQ(record.said->path, "/v1/x");
    EXPECT_EQ(record.said->version, "2");
}

TEST(LogTimes, AllForms) {
    Nanos at;
    const std::int64_t second = 1795200380;
    for (const auto& [text, ns] : std::initializer_list<std::pair<const char*, std::int64_t>>{
             {"1795200380", second * kSecond},
             {"1795200380.322", second * kSecond + 322 * kMillisecond},
             {"1795200380322", second * kSecond + 322 * kMillisecond},
             {"1795200380322000", second * kSecond + 322 * kMillisecond},
             {"1795200380322000000", second * kSecond + 322 * kMillisecond},
             {"1795199848.6522486", 1795199848 * kSecond + 652248600},
             {"2026-11-20T18:46:20Z", second * kSecond},
             {"2026-11-20T19:46:20.5+01:00", second * kSecond + 500 * kMillisecond},
             {"20/Nov/2026:18:46:20 +0000", second * kSecond},
             {"[20/Nov/2026:13:46:20 -0500]", second * kSecond}}) {
        ASSERT_TRUE(read_time(text, at)) << text;
        EXPECT_EQ(at.count, ns) << text;
    }
    for (const char* text :
         {"", "x", "1.2.3", "2026-13-01T00:00:00Z", "2026-11-20T25:00:00Z", "2026-11-20", "1e9",
          "-5", "20/Foo/2026:18:46:20 +0000", "99999999999999999999", "1."}) {
        EXPECT_FALSE(read_time(text, at)) << text;
    }
    std::int64_t ns = 0;
    EXPECT_TRUE(read_duration("0.125", ns) && ns == 125 * kMillisecond);
    EXPECT_TRUE(read_duration("125", ns) && ns == 125 * kMillisecond);
    EXPECT_FALSE(read_duration("-1", ns));
}

TEST(LogEnds, AddressesWithAndWithoutPorts) {
    for (const auto& [text, address, port] :
         std::initializer_list<std::tuple<const char*, const char*, int>>{
             {"192.0.2.1", "192.0.2.1", 9},
             {"192.0.2.1:443", "192.0.2.1", 443},
             {"[2001:db8::1]:443", "2001:db8::1", 443},
             {"2001:db8::1", "2001:db8::1", 9}}) {
        model::Address read{};
        std::uint16_t read_port = 9;
        ASSERT_TRUE(read_end(text, read, read_port)) << text;
        EXPECT_EQ(model::to_text(read), address);
        EXPECT_EQ(read_port, port);
    }
    model::Address read{};
    std::uint16_t port = 0;
    for (const char* text : {"", "host:1", "192.0.2.1:70000", "192.0.2.1:", ":1"})
        EXPECT_FALSE(read_end(text, read, port));
    EXPECT_EQ(key_in_uri("/chat?x=1&k=sk-1&key=sk-2"), "sk-1");
    EXPECT_EQ(key_in_uri("GET /chat?api_key=sk-1 HTTP/1.1"), "sk-1");
    EXPECT_EQ(key_in_uri("/chat?monkey=1&k="), "");
}

class LogLines : public KeyScene {
  protected:
    SourceRecord read(const std::string& source, std::string_view line,
                      Parse expected = Parse::ok) {
        auto config = read_source(source);
        EXPECT_TRUE(config.has_value()) << config.error().message();
        Names names(keys(), directory);
        names.now(Nanos{kSecond});
        LineReader reader(*config, names);
        SourceRecord record;
        const Parse parse = reader.read(line, Nanos{5 * kSecond}, record);
        EXPECT_EQ(static_cast<int>(parse), static_cast<int>(expected)) << reader.fault();
        fault = reader.fault();
        return record;
    }
    static std::string client(const SourceRecord& record) {
        return model::to_text(record.record.client_ip) + " " +
               std::to_string(record.record.client_port);
    }
    std::string fault;
};

TEST_F(LogLines, Nginx) {
    const SourceRecord record = read(
        "a file /log format=nginx gateway=7",
        R"({"msec":"1795200380.322","request_time":"0.022","connection_time":"1.300","remote_addr":"10.10.1.11",)"
        R"("remote_port":"52002","server_addr":"10.10.3.2","server_port":"443","http":"HTTP/2.0","status":"429",)"
        R"("authorization":"","x_api_key":"sk-1","uri":"/v1/messages"})");
    EXPECT_EQ(record.record.gateway_id, 7u);
    EXPECT_EQ(record.record.t_req_us, 1795200380300000u);
    EXPECT_EQ(record.record.t_conn_us, 1795200379022000u);
    EXPECT_EQ(client(record), "10.10.1.11 52002");
    EXPECT_EQ(record.record.server_port, 443);
    EXPECT_EQ(record.record.proto, 6);
    EXPECT_EQ(record.record.flags, AccountFlags::h2);
    EXPECT_EQ(record.record.limit_flag, 1);
    EXPECT_EQ(record.record.status_class, 4);
    EXPECT_NE(record.record.key_tag, 0u);
    EXPECT_FALSE(record.sequenced);
    // One key is one account whichever field holds it.
    const SourceRecord other =
        read("a file /log format=nginx server=any",
             R"({"msec":"1795200380.322","remote_addr":"::1","remote_port":"1",)"
             R"("server_addr":"10.0.0.1","server_port":"9","authorization":"Bearer sk-1"})");
    EXPECT_EQ(other.record.account_tag, record.record.account_tag);
    EXPECT_EQ(other.record.server_port, 0);
    EXPECT_EQ(other.record.flags, AccountFlags::ipv6);
    EXPECT_EQ(
        read("a file /log format=nginx",
             R"({"msec":"1.0","remote_addr":"10.0.0.1","remote_port":"1","uri":"/chat?k=sk-1"})")
            .record.account_tag,
        record.record.account_tag);
}

TEST_F(LogLines, CaddyAndEnvoyAndHaproxy) {
    const SourceRecord caddy = read(
        "a file /log format=caddy",
        R"({"level":"info","ts":1795199848.5,"logger":"http.log.access","request":{"remote_ip":"2001:db8::7",)"
        R"("remote_port":"4711","proto":"HTTP/3.0","uri":"/x","headers":{"Authorization":["Bearer sk-1"]}},)"
        R"("duration":0.25,"status":200})");
    EXPECT_EQ(client(caddy), "2001:db8::7 4711");
    EXPECT_EQ(caddy.record.proto, 17);
    EXPECT_EQ(caddy.record.t_req_us, 1795199848250000u);
    const SourceRecord envoy =
        read("a file /log format=envoy",
             R"({"start_time":"2026-11-20T18:46:20.125Z","downstream_remote_address":)"
             R"("192.0.2.9:555","downstream_local_address":"198.51.100.1:443",)"
             R"("protocol":"HTTP/1.1","x_api_key":"sk-1","response_code":"500"})");
    EXPECT_EQ(client(envoy), "192.0.2.9 555");
    EXPECT_EQ(envoy.record.t_req_us, 1795200380125000u);
    EXPECT_EQ(envoy.record.server_port, 443);
    const SourceRecord haproxy = read(
        "a file /log format=haproxy",
        R"({"time_ms":"1795200380125","duration_ms":"25","client":"192.0.2.9","client_port":"555",)"
        R"("frontend":"198.51.100.1","frontend_port":"443","account":"acme","unique_id":"u-1","status":"200"})");
    EXPECT_EQ(haproxy.mode, model::SourceMode::pp2);
    EXPECT_EQ(haproxy.unique_id, model::value_id("u-1"));
    EXPECT_EQ(haproxy.record.t_req_us, 1795200380100000u);
    EXPECT_NE(haproxy.record.account_tag, caddy.record.account_tag);
}

TEST_F(LogLines, DeclaredPattern) {
    const std::string source =
        "a file /log format=nginx time=start pattern=\"$remote_addr:$remote_port [$time_local] "
        "\\\"$request\\\" $status "
        "${http_x_api_key}\"";
    const SourceRecord record =
        read(source, R"(192.0.2.1:99 [20/Nov/2026:18:46:20 +0000] "GET / HTTP/1.1" 200 sk-9)");
    EXPECT_EQ(client(record), "192.0.2.1 99");
    EXPECT_EQ(record.record.t_req_us, 1795200380000000u);
    EXPECT_EQ(record.record.status_class, 2);
    read(source, "something else", Parse::malformed);
    EXPECT_EQ(fault, "does not fit the pattern");
}

TEST_F(LogLines, FaultsNameTheFieldAndNeverItsValue) {
    const std::string source = "a file /log format=json";
    const struct {
        const char* line;
        Parse parse;
        const char* fault;
    } cases[] = {
        {R"(not json)", Parse::malformed, "is no JSON object"},
        {R"({"foo":1})", Parse::not_this, "has none of the fields"},
        {R"({"time":"secret","key":"sk-1"})", Parse::malformed, "time is not a time"},
        {R"({"client":"secret","key":"sk-1"})", Parse::malformed, "client is not an address"},
        {R"({"client":"192.0.2.1","client_port":"secret"})", Parse::malformed,
         "client_port is not a port"},
        {R"({"client":"192.0.2.1","client_port":"1"})", Parse::not_this,
         "names no account and no key"},
        {R"({"key":"sk-1"})", Parse::not_this,
         "gives neither the client's address and port nor a unique id"},
        {R"({"duration":"secret","key":"sk-1"})", Parse::malformed, "duration is not a duration"}};
    for (const auto& one : cases) {
        read(source, one.line, one.parse);
        EXPECT_EQ(fault, one.fault) << one.line;
    }
    read(source, "{\"key\":\"" + std::string(5000, 'k') + "\"}", Parse::limit);
    read(source, std::string(70'000, ' '), Parse::limit);
}

TEST(SourceConfig, WhatIsWrongIsSaid) {
    const struct {
        const char* line;
        const char* part;
    } cases[] = {{"", "NAME KIND PLACE"},
                 {"a pipe /x", "no kind is called 'pipe'"},
                 {"a file /x format=apache", "there are nginx haproxy envoy caddy json"},
                 {"a file /x pattern=$a$b", "column 3"},
                 {"a file /x pattern=plain", "names no field"},
                 {"a file /x pattern=\"$ x\"", "column 1"},
                 {"a file /x nonsense", "key=value"},
                 {"a file /x foo=bar", "no property 'foo'"},
                 {"a file /x gateway=-1", "gateway"},
                 {"a unix /x mode=999", "octal"},
                 {"a udp 1:1 unsigned=maybe", "yes or no"},
                 {"a file \"/x", "not closed"}};
    for (const auto& one : cases) {
        const auto read = read_source(one.line);
        ASSERT_FALSE(read.has_value()) << one.line;
        EXPECT_NE(read.error().message().find(one.part), std::string::npos)
            << read.error().message();
    }
    const auto sound =
        read_source("edge file \"/var/log/a b.log\" format=nginx gateway=9 key=k1|k2 from=start");
    ASSERT_TRUE(sound.has_value());
    EXPECT_EQ(sound->place, "/var/log/a b.log");
    EXPECT_TRUE(sound->from_start);
    EXPECT_EQ(sound->format.fields[static_cast<std::size_t>(LogProperty::key)],
              (std::vector<std::string>{"k1", "k2"}));
}

}  // namespace
}  // namespace seine::account
