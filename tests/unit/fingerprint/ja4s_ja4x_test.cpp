// JA4S and JA4X: the worked examples of the specification, and every recorded raw JA4S rebuilt.
#ifdef SEINE_JA4PLUS
#include <gtest/gtest.h>

#include "dataplane/fingerprint/ja4plus/ja4s.h"
#include "dataplane/fingerprint/ja4plus/ja4x.h"
#include "tests/unit/fingerprint/expected_lines.h"
#include "tools/synth/hello_builder.h"

namespace seine::fingerprint {
namespace {

using synth::Bytes;

struct Forms {
    std::string ja4s, ja4s_r;
};

Forms forms_of(const synth::ServerOptions& options, Transport transport = Transport::tcp) {
    const Bytes body = synth::server_hello(options);
    tls::ServerHello hello;
    EXPECT_EQ(tls::read_server_hello(body, hello), Parse::ok);
    crypto::Digester digester;
    Ja4sText hashed;
    ja4s(hello, transport, digester, hashed);
    std::vector<char> room(kJa4sRawBytesMax);
    const RawForm raw = ja4s_raw(hello, transport, room);
    EXPECT_FALSE(raw.truncated);
    return {std::string(hashed.view()), std::string(raw.text)};
}

TEST(Ja4s, AnswersTheExamplesOfTheSpecification) {
    const Forms tls12 = forms_of({.cipher = 0xcca9,
                                  .extensions = {synth::bare(0), synth::bare(0xff01, {0}), synth::bare(11, {1, 0}),
                                                 synth::alpn({"h2"})}});
    EXPECT_EQ(tls12.ja4s, "t1204h2_cca9_1428ce7b4018");  // foxio-ipv6.pcapng
    EXPECT_EQ(tls12.ja4s_r, "t1204h2_cca9_0000,ff01,000b,0010");
    const Forms tls13 = forms_of({.extensions = {synth::bare(51, {0, 0x1d, 0, 0}), synth::bare(43, {3, 4})}});
    EXPECT_EQ(tls13.ja4s, "t130200_1301_234ea6891581");
    EXPECT_EQ(tls13.ja4s_r, "t130200_1301_0033,002b");
    EXPECT_EQ(forms_of({.cipher = 0xc030,
                        .extensions = {synth::bare(5), synth::bare(23), synth::bare(0xff01, {0}), synth::bare(0)}})
                  .ja4s,
              "t120400_c030_4e8089b08790");  // the method's own example
}

TEST(Ja4s, LeavesGreaseOutAndPrintsNoExtensionsAsZeros) {
    EXPECT_EQ(forms_of({.extensions = {synth::bare(0x1a1a), synth::bare(23)}}).ja4s_r, "t120100_1301_0017");
    EXPECT_EQ(forms_of({.extension_block = false}).ja4s, "t120000_1301_000000000000");
}

TEST(Ja4s, EveryRecordedRawFormGivesItsRecordedHash) {
    const std::vector<std::string> lines = expected_lines();
    if (lines.empty()) GTEST_SKIP() << "the shared vectors are not beside the sources";
    std::size_t compared = 0;
    for (const std::string& line : lines) {
        const std::string raw = value_of(line, "ja4s_r");
        const std::string expected = value_of(line, "ja4s");
        if (raw.empty() || expected.empty()) continue;
        const std::vector<std::string> parts = split(raw, '_');
        const std::string name = parts[0].substr(5);
        synth::ServerOptions options;
        options.cipher = hex_numbers(parts[1]).at(0);
        std::uint16_t version = 0x0100;
        for (const std::uint16_t known : std::initializer_list<std::uint16_t>{0x0304, 0x0303, 0x0302, 0x0301, 0x0300,
                                                                              0xfeff, 0xfefd, 0xfefc}) {
            if (version_code(known) == parts[0].substr(1, 2)) version = known;
        }
        // A body that says 0x0304 is one of the first drafts; the final TLS 1.3 says so in extension 43.
        const std::vector<std::uint16_t> types = hex_numbers(parts[2]);
        const bool selected = std::find(types.begin(), types.end(), 43) != types.end();
        options.legacy_version = selected ? 0x0303 : version;
        options.early_draft = options.legacy_version == 0x0304;
        for (const std::uint16_t type : types) {
            options.extensions.push_back(
                type == 16 && name != "00" ? synth::alpn({name})
                : type == 43 ? synth::bare(43, {static_cast<std::uint8_t>(version >> 8),
                                                static_cast<std::uint8_t>(version & 0xff)})
                             : synth::bare(type));
        }
        const Forms forms = forms_of(options, static_cast<Transport>(raw[0]));
        EXPECT_EQ(forms.ja4s_r, raw);
        EXPECT_EQ(forms.ja4s, expected);
        ++compared;
    }
    RecordProperty("compared", static_cast<int>(compared));
    EXPECT_GT(compared, 400u);
}

std::string ja4x_of(const synth::CertificateOptions& options) {
    const Bytes der = synth::certificate(options);
    tls::Certificate cert;
    EXPECT_EQ(tls::read_certificate(der, cert), Parse::ok);
    crypto::Digester digester;
    Ja4xText out;
    EXPECT_TRUE(ja4x(cert, digester, out));
    return std::string(out.view());
}

TEST(Ja4x, HashesTheThreeListsOfIdentifiers) {
    const Bytes country = {0x55, 0x04, 0x06};
    const Bytes organisation = {0x55, 0x04, 0x0a};
    const Bytes unit = {0x55, 0x04, 0x0b};
    const Bytes common_name = {0x55, 0x04, 0x03};
    // fingerprints.md: h12("551d0f,551d25,551d11") is aae71e8db6d7; the issuers of foxio-ipv6.pcapng have
    // country, organisation, unit and common name, 7d5dbb3783b4.
    EXPECT_EQ(ja4x_of({.issuer = {{country, "NO"}, {organisation, "Example"}, {unit, "R&D"}, {common_name, "CA"}},
                       .subject = {},
                       .dns_names = {"a.example"},
                       .extension_oids = {{0x55, 0x1d, 0x0f}, {0x55, 0x1d, 0x25}}}),
              "7d5dbb3783b4_000000000000_aae71e8db6d7");
}

TEST(Ja4x, RefusesListsLongerThanItsRoom) {
    synth::CertificateOptions options;
    options.extension_oids.assign(64, synth::counting(32, 0x2a));
    const Bytes der = synth::certificate(options);
    tls::Certificate cert;
    ASSERT_EQ(tls::read_certificate(der, cert), Parse::ok);
    crypto::Digester digester;
    Ja4xText out;
    EXPECT_FALSE(ja4x(cert, digester, out));
    EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace seine::fingerprint
#endif
