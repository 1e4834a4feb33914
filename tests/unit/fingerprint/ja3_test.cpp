// JA3 and JA3S: the strings and sums that the method's authors published.
#include "dataplane/fingerprint/ja3.h"

#include <gtest/gtest.h>

#include "tools/synth/hello_builder.h"

namespace seine::fingerprint {
namespace {

using synth::Bytes;

std::string string_of(const synth::HelloOptions& options, std::string* sum = nullptr) {
    const Bytes body = synth::client_hello(options);
    tls::ClientHello hello;
    EXPECT_EQ(tls::read_client_hello(body, tls::HelloForm::tls, hello), Parse::ok);
    crypto::Digester digester;
    Md5Text md5;
    ja3(hello, digester, md5);
    if (sum != nullptr) *sum = md5.view();
    std::vector<char> room(kJa3RawBytesMax);
    return std::string(ja3_raw(hello, room).text);
}

TEST(Ja3, AnswersThePublishedExamples) {
    std::string sum;
    EXPECT_EQ(string_of({.legacy_version = 0x0301,
                         .ciphers = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
                         .extensions = {synth::server_name("a.example"), synth::u16_list(10, {23, 24, 25}),
                                        synth::point_formats({0})}},
                        &sum),
              "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    EXPECT_EQ(sum, "ada70206e40642a3e4461f35503241d5");
    EXPECT_EQ(string_of({.legacy_version = 0x0301,
                         .ciphers = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99},
                         .extension_block = false},
                        &sum),
              "769,4-5-10-9-100-98-3-6-19-18-99,,,");
    EXPECT_EQ(sum, "de350869b8c85de67a350c8d186f11e6");
}

TEST(Ja3, LeavesGreaseOutEverywhere) {
    EXPECT_EQ(string_of({.ciphers = {0x0a0a, 0x1301},
                         .extensions = {synth::bare(0x2a2a), synth::u16_list(10, {0x3a3a, 29}), synth::bare(0xfafa)}}),
              "771,4865,10,29,");
}

TEST(Ja3, RawRoomHoldsTheLongestHello) {
    synth::HelloOptions options;
    options.ciphers.assign(tls::kCiphersMax, 0xc02f);
    options.extensions.assign(tls::kExtensionsMax - 2, synth::bare(0xff01));
    options.extensions.push_back(synth::u16_list(10, std::vector<std::uint16_t>(tls::kGroupsMax, 0x6399)));
    options.extensions.push_back(synth::point_formats(Bytes(255, 200)));
    EXPECT_LE(string_of(options).size(), kJa3RawBytesMax);
    EXPECT_EQ(string_of(options).substr(string_of(options).size() - 8), "-200-200");
}

TEST(Ja3s, IsVersionSuiteAndExtensions) {
    const Bytes body = synth::server_hello(
        {.cipher = 0xc02f, .extensions = {synth::bare(0xff01, {0}), synth::bare(0), synth::bare(11, {1, 0})}});
    tls::ServerHello hello;
    ASSERT_EQ(tls::read_server_hello(body, hello), Parse::ok);
    char room[64];
    EXPECT_EQ(ja3s_raw(hello, room).text, "771,49199,65281-0-11");
    crypto::Digester digester;
    Md5Text sum;
    ja3s(hello, digester, sum);
    Md5Text expected;
    crypto::Digester::Md5 digest{};
    digester.md5("771,49199,65281-0-11", digest);
    expected.append_hex(digest);
    EXPECT_EQ(sum.view(), expected.view());
    EXPECT_TRUE(ja3s_raw(hello, std::span<char>(room).first(5)).truncated);
}

}  // namespace
}  // namespace seine::fingerprint
