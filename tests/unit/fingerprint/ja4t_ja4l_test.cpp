// JA4T and JA4L: the examples of fingerprints.md and its disputed cases D17 to D24, D29 and D30.
#ifdef SEINE_JA4PLUS
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/fingerprint/ja4plus/ja4l.h"
#include "dataplane/fingerprint/ja4plus/ja4t.h"

namespace seine::fingerprint {
namespace {

std::string ja4t_of(std::uint16_t window, const std::vector<std::uint8_t>& options) {
    Ja4tText out;
    ja4t(window, options, out);
    EXPECT_FALSE(out.truncated());
    return std::string(out.view());
}

TEST(Ja4t, ExamplesOfTheSpecification) {
    // foxio-ipv6.pcapng, client and server, and foxio-gre-erspan-vxlan.pcap.
    EXPECT_EQ(ja4t_of(65535, {2, 4, 5, 0x42, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0}),
              "65535_2-1-3-1-1-8-4-0-0_1346_6");
    EXPECT_EQ(ja4t_of(65535, {2, 4, 5, 0x42, 1, 1, 4, 2, 1, 3, 3, 10}), "65535_2-1-1-4-1-3_1346_10");
    EXPECT_EQ(ja4t_of(8192, {}), "8192_00_00_00");
}

TEST(Ja4t, AbsentAndZeroPrintAsTwoZeros) {
    EXPECT_EQ(ja4t_of(0, {2, 4, 0, 0, 3, 3, 0}), "0_2-3_00_00");
    EXPECT_EQ(ja4t_of(1, {1, 1}), "1_1-1_00_00");
}

TEST(Ja4t, ABrokenListIsPrintedAsFarAsItIsSound) {
    EXPECT_EQ(ja4t_of(1, {2, 4, 5, 0xb4, 3, 9, 7}), "1_2_1460_00");
    EXPECT_EQ(ja4t_of(1, {8, 1}), "1_00_00_00");
    EXPECT_EQ(ja4t_of(1, {3, 4, 1, 1}), "1_3_00_00");
}

TEST(Ja4t, TheLongestListsFit) {
    std::vector<std::uint8_t> longest;
    for (int i = 0; i < 20; ++i) longest.insert(longest.end(), {254, 2});
    EXPECT_EQ(ja4t_of(65535, longest).size(), 5u + 1 + 20 * 4 - 1 + 6);
    longest.assign(36, 1);
    longest.insert(longest.end(), {2, 4, 0xff, 0xff});
    EXPECT_EQ(ja4t_of(65535, longest).substr(5 + 1 + 37 * 2 - 1), "_65535_00");
}

constexpr std::int64_t kEpoch = 1'700'000'000 * kSecond;
Nanos at_us(std::int64_t us) { return {kEpoch + us * kMicrosecond}; }

TEST(Ja4l, HalvesAreCutAndWholeSecondsCount) {
    Ja4lText out;
    EXPECT_TRUE(ja4l_part(at_us(0), at_us(11499), 56, out));
    EXPECT_EQ(out.view(), "5749_56");  // D18: 5749.5 is cut
    EXPECT_TRUE(ja4l_part(at_us(0), at_us(1'037'902), 248, out));
    EXPECT_EQ(out.view(), "518951_248");  // D20: ndpi-KakaoTalk_chat.pcap
    EXPECT_TRUE(ja4l_part(at_us(7), at_us(7), 255, out));
    EXPECT_EQ(out.view(), "0_255");
    EXPECT_FALSE(ja4l_part(at_us(8), at_us(7), 255, out));
    EXPECT_TRUE(out.empty());
}

TEST(Ja4l, TimesAreCutToMicrosecondsBeforeTheySubtract) {
    Ja4lText out;
    // D29: 1.999 us to 4.000 us is 1 to 4, not 2.001.
    EXPECT_TRUE(ja4l_part({kEpoch + 999}, {kEpoch + 2000}, 64, out));
    EXPECT_EQ(out.view(), "1_64");
    EXPECT_TRUE(ja4l_part({kEpoch + 1000}, {kEpoch + 2999}, 64, out));
    EXPECT_EQ(out.view(), "0_64");
}

TEST(Ja4l, TcpTakesTheFirstOfEach) {
    Ja4lTcp handshake;
    Ja4lText out;
    handshake.syn(at_us(0), 64);
    handshake.syn(at_us(500), 63);
    EXPECT_FALSE(handshake.server(out));
    handshake.handshake_ack(at_us(900));  // before the SYN-ACK: not of this handshake
    handshake.syn_ack(at_us(37722), 59);
    handshake.syn_ack(at_us(40000), 58);  // D30: repeated
    EXPECT_TRUE(handshake.server(out));
    EXPECT_EQ(out.view(), "18861_59");  // foxio-ipv6.pcapng
    EXPECT_FALSE(handshake.client(out));
    handshake.handshake_ack(at_us(37793));
    handshake.handshake_ack(at_us(45544));  // D17: the hello comes later
    EXPECT_TRUE(handshake.client(out));
    EXPECT_EQ(out.view(), "35_64");
    EXPECT_TRUE(handshake.complete());
}

TEST(Ja4l, WithoutTheSynThereIsNothing) {
    Ja4lTcp handshake;
    Ja4lText out;
    handshake.syn_ack(at_us(0), 59);
    handshake.handshake_ack(at_us(10));
    EXPECT_FALSE(handshake.client(out));
    EXPECT_FALSE(handshake.server(out));
    EXPECT_TRUE(out.empty());
}

// Seen in zeek-ipv6-http-atomic-frag.pcap: the file holds the answer first, the times are right.
TEST(Ja4l, ASynThatTheFileHoldsBehindItsAnswerCountsByItsTime) {
    Ja4lTcp handshake;
    Ja4lText out;
    handshake.syn_ack(at_us(30), 64);
    handshake.syn(at_us(0), 63);
    handshake.handshake_ack(at_us(50));
    ASSERT_TRUE(handshake.server(out));
    EXPECT_EQ(out.view(), "15_64");
    ASSERT_TRUE(handshake.client(out));
    EXPECT_EQ(out.view(), "10_63");
}

TEST(Ja4l, QuicTakesTheLastServerHandshakeBeforeTheClients) {
    Ja4lQuic handshake;
    Ja4lText out;
    handshake.client_initial(at_us(0), 64);
    handshake.client_initial(at_us(10), 63);
    handshake.client_handshake(at_us(20));  // before any server packet: not an answer
    handshake.server_initial(at_us(18570), 56);
    handshake.server_initial(at_us(21980), 57);
    handshake.server_handshake(at_us(21990));
    handshake.server_handshake(at_us(22100));
    EXPECT_TRUE(handshake.server(out));
    EXPECT_EQ(out.view(), "9285_56");  // D21: foxio-chrome-cloudflare-quic-with-secrets.pcapng
    EXPECT_FALSE(handshake.client(out));
    handshake.client_handshake(at_us(22326));
    handshake.server_handshake(at_us(22400));
    EXPECT_TRUE(handshake.client(out));
    EXPECT_EQ(out.view(), "113_64");
    EXPECT_TRUE(handshake.complete());
}

}  // namespace
}  // namespace seine::fingerprint
#endif
