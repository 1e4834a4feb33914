// JA4 in all forms: the worked examples of the specification, and every recorded raw form rebuilt.
#include "dataplane/fingerprint/tls_client.h"

#include <gtest/gtest.h>

#include "tests/unit/fingerprint/expected_lines.h"
#include "tools/synth/hello_builder.h"

namespace seine::fingerprint {
namespace {

using synth::Bytes;

struct Forms {
    std::string ja4, ja4_norm, ja4_o, ja4_r, ja4_ro;
};

Forms forms_of(const synth::HelloOptions& options, Transport transport = Transport::tcp) {
    const Bytes body = synth::client_hello(options);
    tls::ClientHello hello;
    EXPECT_EQ(tls::read_client_hello(body, options.dtls ? tls::HelloForm::dtls : tls::HelloForm::tls, hello),
              Parse::ok);
    crypto::Digester digester;
    TlsClientPrint print;
    tls_client(hello, transport, digester, print);
    Ja4Text wire;
    ja4_wire_order(hello, transport, digester, wire);
    std::vector<char> room(kJa4RawBytesMax);
    Forms out{std::string(print.ja4.view()), std::string(print.ja4_norm.view()), std::string(wire.view()), "", ""};
    const RawForm sorted = ja4_raw(hello, transport, room);
    EXPECT_FALSE(sorted.truncated);
    out.ja4_r = sorted.text;
    out.ja4_ro = ja4_raw_wire_order(hello, transport, room).text;
    return out;
}

std::string ja4_of(const synth::HelloOptions& options, Transport transport = Transport::tcp) {
    return forms_of(options, transport).ja4;
}

std::string head_of(const synth::HelloOptions& options) { return ja4_of(options).substr(0, 10); }

// The example of the method's own description: suites, sixteen extensions, schemes in wire order.
synth::HelloOptions method_example() {
    synth::HelloOptions options{
        .ciphers = {0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                    0x009c, 0x009d, 0x002f, 0x0035}};
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{
             0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
             0xff01, 0x000b, 0x000a, 0x0015, 0xeaea}) {
        options.extensions.push_back(
            type == 0       ? synth::server_name("example.com")
            : type == 16    ? synth::alpn({"h2", "http/1.1"})
            : type == 43    ? synth::supported_versions({0xdada, 0x0304, 0x0303})
            : type == 13    ? synth::u16_list(13, {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601})
                            : synth::bare(type));
    }
    return options;
}

TEST(Ja4, AnswersTheExampleOfTheMethod) {
    const Forms forms = forms_of(method_example());
    EXPECT_EQ(forms.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    EXPECT_EQ(forms.ja4_o.substr(0, 23), "t13d1516h2_acb858a92679");
    EXPECT_EQ(forms.ja4_r.substr(0, 80),
              "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8");
    EXPECT_EQ(ja4_of(method_example(), Transport::quic)[0], 'q');
    EXPECT_EQ(ja4_of(method_example(), Transport::dtls)[0], 'd');
}

TEST(Ja4, WithoutSignatureAlgorithmsThereIsNoUnderscore) {
    // fingerprints.md: the same list without schemes hashes to 6d807ffa2a79.
    synth::HelloOptions options = method_example();
    for (auto& ext : options.extensions) {
        if (ext.type == 13) ext.body = {};
    }
    EXPECT_EQ(ja4_of(options), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

TEST(Ja4, ServerNameAloneLeavesTheLastPartEmpty) {
    // foxio-https3-301-get.pcap: one extension; D5 and D6 of fingerprints.md.
    const Forms forms = forms_of({.legacy_version = 0x0301,
                                  .ciphers = {0x0004},
                                  .extensions = {synth::server_name("a.example")}});
    EXPECT_EQ(forms.ja4.substr(23), "_000000000000");
    EXPECT_EQ(forms.ja4_o.substr(23), "_9af15b336e6a");
    EXPECT_EQ(forms.ja4_r, "t10d010100_0004_");
    EXPECT_EQ(forms.ja4_ro, "t10d010100_0004_0000");
}

TEST(Ja4, EmptyListsArePrintedAsZeros) {
    const Forms forms = forms_of({.ciphers = {}, .extension_block = false});
    EXPECT_EQ(forms.ja4, "t12i000000_000000000000_000000000000");
    EXPECT_EQ(forms.ja4_o, forms.ja4);
    EXPECT_EQ(forms.ja4_r, "t12i000000__");
}

TEST(Ja4, CodesVersions) {
    const auto code = [](std::uint16_t legacy) { return head_of({.legacy_version = legacy}).substr(1, 2); };
    EXPECT_EQ(code(0x0304), "13");
    EXPECT_EQ(code(0x0303), "12");
    EXPECT_EQ(code(0x0302), "11");
    EXPECT_EQ(code(0x0301), "10");
    EXPECT_EQ(code(0x0300), "s3");
    EXPECT_EQ(code(0x0002), "s2");
    EXPECT_EQ(code(0xfeff), "d1");
    EXPECT_EQ(code(0xfefd), "d2");
    EXPECT_EQ(code(0xfefc), "d3");
    EXPECT_EQ(code(0x0100), "00");
    EXPECT_EQ(code(0x7f17), "00");
}

TEST(Ja4, CodesAlpn) {
    const auto code = [](std::string_view name) { return head_of({.extensions = {synth::alpn({name})}}).substr(8); };
    EXPECT_EQ(code("h2"), "h2");
    EXPECT_EQ(code("http/1.1"), "h1");
    EXPECT_EQ(code("h3-29"), "h9");
    EXPECT_EQ(code("a"), "aa");
    EXPECT_EQ(code(""), "00");
    EXPECT_EQ(code("\xab"), "ab");
    EXPECT_EQ(code(" "), "20");
    EXPECT_EQ(code("\xab\xcd"), "ad");
    EXPECT_EQ(code("0\xab"), "3b");
    EXPECT_EQ(code("a "), "60");
    EXPECT_EQ(code("01\xab\xcd"), "3d");
    EXPECT_EQ(code("0\xab\xcd"
                   "1"),
              "01");
    EXPECT_EQ(code("\xba\xad"), "bd");
    EXPECT_EQ(code("\x0a\x0a"), "0a");
    EXPECT_EQ(head_of({.extensions = {synth::alpn({})}}).substr(8), "00");
    EXPECT_EQ(head_of({}).substr(8), "00");
}

TEST(Ja4, CountsUpToNinetyNineAndHashesTheRest) {
    synth::HelloOptions options;
    options.ciphers.clear();
    for (std::uint16_t i = 0; i < 150; ++i) options.ciphers.push_back(static_cast<std::uint16_t>(0xd000 - i));
    for (std::uint16_t i = 0; i < 120; ++i) {
        options.extensions.push_back(synth::bare(static_cast<std::uint16_t>(0x7000 + (i * 7) % 50)));
    }
    const Forms forms = forms_of(options);
    EXPECT_EQ(forms.ja4.substr(0, 10), "t12i999900");
    const auto ciphers = hex_numbers(split(forms.ja4_r, '_')[1]);
    EXPECT_EQ(ciphers.size(), 150u);
    EXPECT_TRUE(std::is_sorted(ciphers.begin(), ciphers.end()));
    const auto extensions = hex_numbers(split(forms.ja4_r, '_')[2]);
    EXPECT_EQ(extensions.size(), 120u);
    EXPECT_TRUE(std::is_sorted(extensions.begin(), extensions.end()));
}

TEST(Ja4, NormalFormOfResumedAndFirstSessionAgree) {
    synth::HelloOptions first = method_example();
    const Forms fresh = forms_of(first);
    synth::HelloOptions resumed = method_example();
    std::erase_if(resumed.extensions, [](const auto& ext) { return ext.type == 21; });
    resumed.extensions.push_back(synth::bare(42));
    resumed.extensions.push_back(synth::pre_shared_key(synth::counting(9), 1));
    const Forms later = forms_of(resumed);
    EXPECT_NE(fresh.ja4, later.ja4);
    EXPECT_EQ(fresh.ja4_norm, later.ja4_norm);
    EXPECT_EQ(fresh.ja4_norm.substr(0, 10), "t13d1515h2");
    // Nothing to leave out: the same as JA4.
    const Forms plain = forms_of({.extensions = {synth::bare(23)}});
    EXPECT_EQ(plain.ja4, plain.ja4_norm);
}

TEST(Ja4, RawFormsSayWhenTheyAreCut) {
    const Bytes body = synth::client_hello(method_example());
    tls::ClientHello hello;
    ASSERT_EQ(tls::read_client_hello(body, tls::HelloForm::tls, hello), Parse::ok);
    std::vector<char> room(kJa4RawBytesMax);
    const std::string whole(ja4_raw(hello, Transport::tcp, room).text);
    for (std::size_t bytes = 0; bytes <= whole.size() + 2; ++bytes) {
        std::vector<char> exact(bytes);
        const RawForm form = ja4_raw(hello, Transport::tcp, exact);
        EXPECT_EQ(form.truncated, bytes < whole.size()) << bytes;
        EXPECT_EQ(form.text, whole.substr(0, bytes));
    }
}

TEST(Ja4, RawRoomHoldsTheLongestHello) {
    synth::HelloOptions options;
    options.ciphers.assign(tls::kCiphersMax, 0x1301);
    options.extensions.assign(tls::kExtensionsMax - 1, synth::bare(0x7777));
    options.extensions.push_back(
        synth::u16_list(13, std::vector<std::uint16_t>(tls::kSignatureAlgorithmsMax, 0x0403)));
    EXPECT_LE(forms_of(options).ja4_r.size(), kJa4RawBytesMax);
}

// A hello that says what a recorded wire-order raw form says.
synth::HelloOptions rebuilt(const std::string& raw) {
    const std::vector<std::string> parts = split(raw, '_');
    const std::string& head = parts.at(0);
    const std::string code = head.substr(1, 2);
    std::uint16_t version = 0x0100;
    for (const std::uint16_t known : std::initializer_list<std::uint16_t>{0x0304, 0x0303, 0x0302, 0x0301, 0x0300,
                                                                          0xfeff, 0xfefd, 0xfefc}) {
        if (version_code(known) == code) version = known;
    }
    synth::HelloOptions options;
    options.legacy_version = version;
    options.ciphers = hex_numbers(parts.at(1));
    const std::string name = head.substr(8);
    const std::vector<std::uint16_t> schemes = parts.size() > 3 ? hex_numbers(parts[3]) : hex_numbers("");
    for (const std::uint16_t type : hex_numbers(parts.at(2))) {
        options.extensions.push_back(type == 0                    ? synth::server_name("a.example")
                                     : type == 16 && name != "00" ? synth::alpn({name})
                                     : type == 13                 ? synth::u16_list(13, schemes)
                                                                  : synth::bare(type));
    }
    return options;
}

TEST(Ja4, EveryRecordedRawFormGivesItsRecordedHashes) {
    const std::vector<std::string> lines = expected_lines();
    if (lines.empty()) GTEST_SKIP() << "the shared vectors are not beside the sources";
    std::size_t compared = 0;
    for (const std::string& line : lines) {
        const std::string raw = value_of(line, "ja4_ro");
        const std::string ja4 = value_of(line, "ja4");
        if (raw.empty() || ja4.empty()) continue;
        const Forms forms = forms_of(rebuilt(raw), static_cast<Transport>(raw[0]));
        EXPECT_EQ(forms.ja4_ro, raw);
        EXPECT_EQ(forms.ja4, ja4);
        EXPECT_EQ(forms.ja4_o, value_of(line, "ja4_o"));
        EXPECT_EQ(forms.ja4_r, value_of(line, "ja4_r"));
        ++compared;
    }
    RecordProperty("compared", static_cast<int>(compared));
    EXPECT_GT(compared, 500u);
}

}  // namespace
}  // namespace seine::fingerprint
