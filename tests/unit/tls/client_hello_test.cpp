// ClientHello: what the view says, what is refused, and every cut and flip of a full one.
#include "dataplane/tls/client_hello.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tools/synth/hello_builder.h"

namespace seine::tls {
namespace {

using synth::Bytes;
using synth::operator+;

// One of each extension that is read, in an order of no client.
synth::HelloOptions full_hello() {
    return {.legacy_version = 0x0303,
            .session_id = synth::counting(32),
            .ciphers = {0x1a1a, 0x1301, 0xc02f, 0x00ff},
            .extensions = {synth::bare(0x2a2a), synth::server_name("api.example.org"),
                           synth::u16_list(10, {0x11ec, 0x001d}), synth::point_formats({0, 1}),
                           synth::u16_list(13, {0x0403, 0x0804}), synth::u16_list(50, {0x0401}),
                           synth::alpn({"h2", "http/1.1"}), synth::bare(35, synth::counting(48)),
                           synth::bare(42), synth::supported_versions({0x3a3a, 0x0303, 0x0304}),
                           synth::key_shares({0x4a4a, 0x001d}),
                           synth::bare(0x39, synth::counting(9)),
                           synth::bare(0xfe0d, synth::from_hex("00 0001 0003 2a 0020") +
                                                   synth::counting(32) + synth::from_hex("0010") +
                                                   synth::counting(16)),
                           synth::bare(21, Bytes(7)),
                           synth::pre_shared_key(synth::counting(20, 0x70), 0x01020304)}};
}

// The view borrows, so the last bodies are kept here, each in memory of its exact size.
Parse parse(const Bytes& body, ClientHello& out, HelloForm form = HelloForm::tls) {
    static std::deque<Bytes> kept;
    if (kept.size() == 4) kept.pop_front();
    kept.push_back(body);
    return read_client_hello(kept.back(), form, out);
}

TEST(TlsClientHello, ShowsEveryPart) {
    const Bytes body = synth::client_hello(full_hello());
    ClientHello hello;
    ASSERT_EQ(read_client_hello(body, HelloForm::tls, hello), Parse::ok);
    EXPECT_EQ(hello.legacy_version, 0x0303);
    EXPECT_EQ(hello.random.data(), body.data() + 2);
    EXPECT_EQ(hello.random.size(), 32u);
    EXPECT_EQ(hello.session_id.size(), 32u);
    ASSERT_EQ(hello.ciphers.size(), 4u);
    EXPECT_EQ(hello.ciphers[0], 0x1a1a);
    EXPECT_EQ(hello.ciphers[3], 0x00ff);
    EXPECT_EQ(hello.compressions.size(), 1u);
    EXPECT_EQ(hello.extensions.size(), 15u);
    EXPECT_EQ(hello.extensions[0], 0x2a2a);
    EXPECT_EQ(as_text(hello.server_name), "api.example.org");
    EXPECT_EQ(as_text(hello.first_alpn()), "h2");
    EXPECT_EQ(hello.alpn.size(), 12u);
    EXPECT_EQ(hello.groups[0], 0x11ec);
    EXPECT_EQ(hello.point_formats.size(), 2u);
    ASSERT_EQ(hello.signature_algorithms.size(), 2u);
    EXPECT_EQ(hello.signature_algorithms[1], 0x0804);
    EXPECT_EQ(hello.highest_version(), 0x0304);
    EXPECT_TRUE(hello.offers_tls13());
    EXPECT_EQ(hello.session_ticket.size(), 48u);
    EXPECT_TRUE(hello.has_early_data);
    EXPECT_TRUE(hello.has_key_share);
    EXPECT_EQ(hello.key_shares.size(), 2 * 36u);
    EXPECT_EQ(hello.quic_parameters.size(), 9u);
    EXPECT_EQ(hello.padding_bytes, 7);
    EXPECT_EQ(hello.ech.kind, EchView::Kind::outer);
    EXPECT_EQ(hello.ech.kdf, 1);
    EXPECT_EQ(hello.ech.aead, 3);
    EXPECT_EQ(hello.ech.config_id, 0x2a);
    EXPECT_EQ(hello.ech.enc_bytes, 32);
    EXPECT_EQ(hello.ech.payload_bytes, 16);
    EXPECT_TRUE(hello.has_psk);
    EXPECT_EQ(hello.psk_identity.size(), 20u);
    EXPECT_EQ(hello.psk_identity[0], 0x70);
    EXPECT_EQ(hello.psk_obfuscated_age, 0x01020304u);
    EXPECT_EQ(hello.psk_identity_count, 1);
    EXPECT_FALSE(hello.odd_bodies);
}

TEST(TlsClientHello, MayEndBeforeTheExtensions) {
    ClientHello hello;
    ASSERT_EQ(parse(synth::client_hello({.legacy_version = 0x0300, .extension_block = false}), hello),
              Parse::ok);
    EXPECT_FALSE(hello.has_extension_block);
    EXPECT_EQ(hello.highest_version(), 0x0300);
    EXPECT_TRUE(hello.first_alpn().empty());
    ASSERT_EQ(parse(synth::client_hello({}), hello), Parse::ok);
    EXPECT_TRUE(hello.has_extension_block);
    EXPECT_TRUE(hello.extensions.empty());
}

TEST(TlsClientHello, HasACookieInDtlsOnly) {
    const Bytes body = synth::client_hello({.dtls = true, .cookie = synth::counting(20)});
    ClientHello hello;
    ASSERT_EQ(parse(body, hello, HelloForm::dtls), Parse::ok);
    EXPECT_EQ(hello.cookie.size(), 20u);
    EXPECT_EQ(hello.ciphers.size(), 1u);
    EXPECT_EQ(parse(body, hello, HelloForm::tls), Parse::malformed);
}

TEST(TlsClientHello, FirstOfARepeatedExtensionCounts) {
    ClientHello hello;
    ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::server_name("first.example"),
                                                        synth::server_name("second.example")}}),
                    hello),
              Parse::ok);
    EXPECT_EQ(as_text(hello.server_name), "first.example");
    EXPECT_EQ(hello.extensions.size(), 2u);
}

TEST(TlsClientHello, EmptyBodiesArePresentAndEmpty) {
    ClientHello hello;
    ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::bare(0), synth::bare(10), synth::bare(11),
                                                        synth::bare(13), synth::bare(16),
                                                        synth::bare(43)}}),
                    hello),
              Parse::ok);
    EXPECT_TRUE(hello.has_server_name);
    EXPECT_TRUE(hello.server_name.empty());
    EXPECT_TRUE(hello.has_alpn);
    EXPECT_TRUE(hello.first_alpn().empty());
    EXPECT_TRUE(hello.has_supported_versions);
    EXPECT_EQ(hello.highest_version(), 0x0303);
    EXPECT_FALSE(hello.odd_bodies);
}

TEST(TlsClientHello, SupportedVersionsMayBeLowerThanTheLegacyField) {
    ClientHello hello;
    ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::supported_versions({0xfafa, 0x0301})}}), hello),
              Parse::ok);
    EXPECT_EQ(hello.highest_version(), 0x0301);
    ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::supported_versions({0xfafa})}}), hello),
              Parse::ok);
    EXPECT_EQ(hello.highest_version(), 0x0303);
    EXPECT_FALSE(hello.offers_tls13());
}

TEST(TlsClientHello, RefusesBrokenBodiesThatFeedFingerprints) {
    ClientHello hello;
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{10, 11, 13, 16, 43}) {
        for (const Bytes& bad : {Bytes{0xff}, Bytes{0, 9, 1}, Bytes{0, 2, 1, 1, 1}, Bytes{3, 1, 1, 1, 1}}) {
            EXPECT_EQ(parse(synth::client_hello({.extensions = {synth::bare(type, bad)}}), hello),
                      Parse::malformed)
                << type;
        }
    }
    // A list of half a number.
    EXPECT_EQ(parse(synth::client_hello({.extensions = {synth::bare(13, {0, 3, 4, 3, 8})}}), hello),
              Parse::malformed);
    EXPECT_EQ(parse(synth::client_hello({.extensions = {synth::bare(43, {3, 3, 4, 3})}}), hello),
              Parse::malformed);
}

TEST(TlsClientHello, NotesOtherBrokenBodiesAndGoesOn) {
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 41, 51, 0xfe0d}) {
        ClientHello hello;
        ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::bare(type, {0, 9, 1})}}), hello),
                  Parse::ok)
            << type;
        EXPECT_TRUE(hello.odd_bodies) << type;
        EXPECT_TRUE(hello.psk_identity.empty());
        EXPECT_EQ(hello.ech.kind, EchView::Kind::none);
    }
}

TEST(TlsClientHello, KnowsAnInnerHello) {
    ClientHello hello;
    ASSERT_EQ(parse(synth::client_hello({.extensions = {synth::bare(0xfe0d, {1})}}), hello), Parse::ok);
    EXPECT_EQ(hello.ech.kind, EchView::Kind::inner);
}

TEST(TlsClientHello, BoundsItsLists) {
    ClientHello hello;
    const auto with = [](std::size_t ciphers, std::size_t extensions, std::size_t schemes) {
        synth::HelloOptions options;
        options.ciphers.assign(ciphers, 0x1301);
        options.extensions.push_back(
            synth::u16_list(13, std::vector<std::uint16_t>(schemes, 0x0403)));
        while (options.extensions.size() < extensions) options.extensions.push_back(synth::bare(0x7777));
        return synth::client_hello(options);
    };
    EXPECT_EQ(parse(with(kCiphersMax, kExtensionsMax, kSignatureAlgorithmsMax), hello), Parse::ok);
    EXPECT_EQ(parse(with(kCiphersMax + 1, 1, 1), hello), Parse::limit);
    EXPECT_EQ(parse(with(1, kExtensionsMax + 1, 1), hello), Parse::limit);
    EXPECT_EQ(parse(with(1, 1, kSignatureAlgorithmsMax + 1), hello), Parse::limit);
}

TEST(TlsClientHello, EveryTruncationIsMalformedButTheOneWithoutExtensions) {
    const Bytes body = synth::client_hello(full_hello());
    const std::size_t without_extensions =
        synth::client_hello([] { auto o = full_hello(); o.extension_block = false; return o; }()).size();
    for (std::size_t count = 0; count < body.size(); ++count) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
        ClientHello hello;
        EXPECT_EQ(parse(cut, hello), count == without_extensions ? Parse::ok : Parse::malformed) << count;
    }
}

TEST(TlsClientHello, BytesLeftOverAreMalformed) {
    Bytes body = synth::client_hello(full_hello());
    body.push_back(0);
    ClientHello hello;
    EXPECT_EQ(parse(body, hello), Parse::malformed);
}

TEST(TlsClientHello, EveryFlippedByteIsAnswered) {
    const Bytes body = synth::client_hello(full_hello());
    std::size_t sound = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes flipped = body;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            ClientHello hello;
            const Parse answer = parse(flipped, hello);
            EXPECT_TRUE(answer == Parse::ok || answer == Parse::malformed) << i;
            sound += answer == Parse::ok ? 1 : 0;
        }
    }
    EXPECT_GT(sound, 8 * 64u);  // random and session id alone may be anything
}

TEST(Grease, AreTheSixteenValuesOfRfc8701) {
    int count = 0;
    for (unsigned value = 0; value < 0x10000; ++value) {
        if (!is_grease(static_cast<std::uint16_t>(value))) continue;
        EXPECT_EQ(value, 0x0a0au + 0x1010u * static_cast<unsigned>(count));
        ++count;
    }
    EXPECT_EQ(count, 16);
}

}  // namespace
}  // namespace seine::tls
