// Certificates: parts read, hostile DER refused, every cut and flip answered.
#include "dataplane/tls/certificate.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/tls/registry.h"
#include "tools/synth/hello_builder.h"

namespace seine::tls {
namespace {

using synth::Bytes;
using synth::operator+;

const Bytes kCommonName = {0x55, 0x04, 0x03};
const Bytes kCountry = {0x55, 0x04, 0x06};

synth::CertificateOptions full_certificate() {
    return {.serial = {0x01, 0xab},
            .issuer = {{kCountry, "NO"}, {kCommonName, "Example CA"}},
            .subject = {{kCommonName, "www.example.org"}},
            .not_before = "240229120000Z",
            .not_after = "20501231235959Z",
            .dns_names = {"www.example.org", "example.org"},
            .extension_oids = {{0x55, 0x1d, 0x0f}, {0x55, 0x1d, 0x25}}};
}

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

TEST(TlsCertificate, ShowsEveryPart) {
    const Bytes der = synth::certificate(full_certificate());
    Certificate cert;
    ASSERT_EQ(read_certificate(der, cert), Parse::ok);
    EXPECT_EQ(text(cert.serial), "\x01\xab");
    ASSERT_EQ(cert.issuer_oids.size(), 2u);
    EXPECT_EQ(text(cert.issuer_oids[0]), "\x55\x04\x06");
    EXPECT_EQ(text(cert.issuer_common_name), "Example CA");
    ASSERT_EQ(cert.subject_oids.size(), 1u);
    EXPECT_EQ(text(cert.subject_common_name), "www.example.org");
    ASSERT_EQ(cert.extension_oids.size(), 3u);
    EXPECT_EQ(text(cert.extension_oids[2]), "\x55\x1d\x11");
    ASSERT_EQ(cert.dns_names.size(), 2u);
    EXPECT_EQ(cert.dns_name_count, 2u);
    EXPECT_EQ(text(cert.dns_names[1]), "example.org");
    EXPECT_EQ(text(cert.not_before), "240229120000Z");
    EXPECT_EQ(cert.not_before_s, 1709208000);  // date -u -d '2024-02-29 12:00:00' +%s
    EXPECT_EQ(cert.not_after_s, 2556143999);   // date -u -d '2050-12-31 23:59:59' +%s
}

TEST(TlsCertificate, ReadsTimesOfBothCenturies) {
    const auto not_before = [](std::string_view when) {
        auto options = full_certificate();
        options.not_before = when;
        const Bytes der = synth::certificate(options);
        Certificate cert;
        EXPECT_EQ(read_certificate(der, cert), Parse::ok);
        return cert.not_before_s;
    };
    EXPECT_EQ(not_before("500101000000Z"), -631152000);
    EXPECT_EQ(not_before("491231235959Z"), 2524607999);
    EXPECT_EQ(not_before("20000229000000Z"), 951782400);
    EXPECT_EQ(not_before("701301000000Z"), 0);  // no such month
    EXPECT_EQ(not_before("7001010000000"), 0);  // no Z
    EXPECT_EQ(not_before("70010x000000Z"), 0);
}

TEST(TlsCertificate, NamesMayBeEmptyAndExtensionsAbsent) {
    const Bytes der = synth::certificate({.issuer = {}, .subject = {}});
    Certificate cert;
    ASSERT_EQ(read_certificate(der, cert), Parse::ok);
    EXPECT_TRUE(cert.issuer_oids.empty());
    EXPECT_TRUE(cert.extension_oids.empty());
}

TEST(TlsCertificate, KeepsTheFirstNamesAndCountsAll) {
    synth::CertificateOptions options;
    options.dns_names.assign(100, "a.example");
    const Bytes der = synth::certificate(options);
    Certificate cert;
    ASSERT_EQ(read_certificate(der, cert), Parse::ok);
    EXPECT_EQ(cert.dns_names.size(), Certificate::kDnsNamesMax);
    EXPECT_EQ(cert.dns_name_count, 100u);
}

TEST(TlsCertificate, BoundsAttributesAndExtensions) {
    Certificate cert;
    synth::CertificateOptions options;
    options.issuer.assign(Certificate::kAttributesMax, {kCountry, "NO"});
    options.extension_oids.assign(Certificate::kExtensionOidsMax, {0x55, 0x1d, 0x0f});
    EXPECT_EQ(read_certificate(synth::certificate(options), cert), Parse::ok);
    options.issuer.push_back({kCountry, "NO"});
    EXPECT_EQ(read_certificate(synth::certificate(options), cert), Parse::limit);
    options.issuer.clear();
    options.extension_oids.push_back({0x55, 0x1d, 0x0f});
    EXPECT_EQ(read_certificate(synth::certificate(options), cert), Parse::limit);
}

TEST(TlsCertificate, RefusesHostileDer) {
    Certificate cert;
    for (const char* hex : {"", "30", "3080", "308000", "3085 0000000001 00", "3084 ffffffff 00", "1f8100",
                            "3003 300230", "30 02 30 80", "30 04 30 02 02 7f", "31 00", "3f 81 00"}) {
        const Bytes der = synth::from_hex(hex);
        EXPECT_EQ(read_certificate(der, cert), Parse::malformed) << hex;
    }
    // Deep nesting costs nothing: structures are entered by level and not by recursion.
    Bytes nested;
    for (int i = 0; i < 1000; ++i) nested = synth::der(0x30, nested);
    EXPECT_EQ(read_certificate(nested, cert), Parse::malformed);
}

TEST(TlsCertificate, EveryTruncationIsMalformed) {
    const Bytes der = synth::certificate(full_certificate());
    for (std::size_t count = 0; count < der.size(); ++count) {
        const Bytes cut(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(count));
        Certificate cert;
        EXPECT_EQ(read_certificate(cut, cert), Parse::malformed) << count;
    }
}

TEST(TlsCertificate, EveryFlippedByteIsAnswered) {
    const Bytes der = synth::certificate(full_certificate());
    std::size_t sound = 0;
    for (std::size_t i = 0; i < der.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes flipped = der;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            Certificate cert;
            const Parse answer = read_certificate(flipped, cert);
            EXPECT_TRUE(answer == Parse::ok || answer == Parse::malformed) << i;
            sound += answer == Parse::ok ? 1 : 0;
        }
    }
    EXPECT_GT(sound, 8 * 64u);  // the signature may be anything
}

TEST(TlsCertificateList, ShowsLeafFirst) {
    const Bytes leaf = synth::certificate({});
    const Bytes body = synth::certificate_list({leaf, synth::counting(9)});
    CertificateList list;
    ASSERT_EQ(read_certificate_list(body, list), Parse::ok);
    ASSERT_EQ(list.certificates.size(), 2u);
    EXPECT_EQ(list.certificates[0].data(), body.data() + 6);
    EXPECT_EQ(list.certificates[0].size(), leaf.size());
    EXPECT_EQ(list.certificates[1].size(), 9u);
}

TEST(TlsCertificateList, MayBeEmptyAndIsBounded) {
    CertificateList list;
    EXPECT_EQ(read_certificate_list(synth::certificate_list({}), list), Parse::ok);
    EXPECT_TRUE(list.certificates.empty());
    std::vector<Bytes> many(kCertificatesMax, synth::counting(5));
    EXPECT_EQ(read_certificate_list(synth::certificate_list(many), list), Parse::ok);
    many.push_back(synth::counting(5));
    EXPECT_EQ(read_certificate_list(synth::certificate_list(many), list), Parse::limit);
    EXPECT_EQ(list.certificates.size(), kCertificatesMax);
}

TEST(TlsCertificateList, EveryTruncationIsMalformed) {
    const Bytes body = synth::certificate_list({synth::counting(7), synth::counting(9)});
    for (std::size_t count = 0; count < body.size(); ++count) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
        CertificateList list;
        EXPECT_EQ(read_certificate_list(cut, list), Parse::malformed);
    }
}

}  // namespace
}  // namespace seine::tls
