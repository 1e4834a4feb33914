// The letters of a TLS client: what each library is known by, and what a resumption may not change.
#include "dataplane/fingerprint/tls_traits.h"

#include <gtest/gtest.h>

#include "tools/synth/hello_builder.h"

namespace seine::fingerprint {
namespace {

std::string traits_of(const synth::HelloOptions& options) {
    const synth::Bytes body = synth::client_hello(options);
    tls::ClientHello hello;
    EXPECT_EQ(tls::read_client_hello(body, tls::HelloForm::tls, hello), Parse::ok);
    TlsTraitsText out;
    tls_traits(hello, out);
    return std::string(out.view());
}

// OpenSSL 3 by its documentation: 1302 1303 1301 first, encrypt_then_mac, all point formats, no
// GREASE.
synth::HelloOptions openssl_like() {
    return {.session_id = synth::Bytes(32, 7),
            .ciphers = {0x1302, 0x1303, 0x1301, 0xc02c, 0x00ff},
            .extensions = {synth::point_formats({0, 1, 2}),
                           synth::u16_list(10, {0x001d, 0x0017, 0x001e, 0x0100}), synth::bare(35),
                           synth::bare(22), synth::bare(23),
                           synth::u16_list(13, {0x0403, 0x0807, 0x0808, 0x0203, 0x0402}),
                           synth::supported_versions({0x0304, 0x0303}), synth::bare(45, {1, 1})}};
}

TEST(TlsTraits, OpensslLike) { EXPECT_EQ(traits_of(openssl_like()), "231f/001d/PEetmvFXS1D58"); }

TEST(TlsTraits, BoringsslLike) {
    const synth::HelloOptions options{
        .session_id = synth::Bytes(32, 7),
        .ciphers = {0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b},
        .extensions = {synth::bare(0x3a3a), synth::u16_list(10, {0x4a4a, 0x11ec, 0x001d, 0x0017}),
                       synth::bare(17613), synth::bare(18), synth::bare(27, {2, 0, 2}),
                       synth::bare(0xff01, {0}), synth::bare(5, {1, 0, 0, 0, 0}),
                       synth::supported_versions({0x5a5a, 0x0304}), synth::point_formats({0}),
                       synth::bare(0x6a6a, {0})}};
    EXPECT_EQ(traits_of(options), "123f/11ec/GgospcArMS");
}

TEST(TlsTraits, SuitesOf13AfterOthersAreLast) {
    EXPECT_EQ(traits_of({.ciphers = {0xc02b, 0x1301, 0x1302}}), "12l/-/-");
    EXPECT_EQ(traits_of({.ciphers = {0xc02b}}), "-/-/-");
    EXPECT_EQ(traits_of({.ciphers = {0x0a0a, 0x1301}}), "1f/-/G");
}

TEST(TlsTraits, ResumptionRetryAndPaddingChangeNothing) {
    const std::string first = traits_of(openssl_like());
    synth::HelloOptions again = openssl_like();
    again.extensions.push_back(synth::bare(21, synth::Bytes(40, 0)));
    again.extensions.push_back(synth::bare(44, {0, 1, 9}));
    again.extensions.push_back(synth::bare(42));
    again.extensions.push_back(synth::pre_shared_key(synth::Bytes(24, 1), 5));
    EXPECT_EQ(traits_of(again), first);
}

TEST(TlsTraits, EveryListAtItsLongestFits) {
    synth::HelloOptions options{.session_id = synth::Bytes(32, 1), .compressions = {1, 0}};
    options.ciphers = {0x0a0a, 0x00ff, 0x5600};
    for (std::uint16_t suite = 0x1301; suite <= 0x130f; ++suite) options.ciphers.push_back(suite);
    for (const std::uint16_t type :
         std::initializer_list<std::uint16_t>{5, 18, 22, 23, 27, 28, 34, 35, 45, 47, 49, 13172,
                                              17513, 17613, 30032, 0xff01, 0x1a1a}) {
        options.extensions.push_back(synth::bare(type));
    }
    options.extensions.push_back(synth::u16_list(10, {0x11ec, 0x6399, 0x0100, 0x001e}));
    options.extensions.push_back(synth::u16_list(13, {0x0201, 0x0202, 0x0807, 0x0808, 0x081a}));
    options.extensions.push_back(synth::supported_versions({0x0304}));
    options.extensions.push_back(synth::point_formats({1}));
    EXPECT_EQ(traits_of(options), "12345678l/11ec/GgosqEetcldmaknABirvfMKFXS1D58bz");
}

}  // namespace
}  // namespace seine::fingerprint
