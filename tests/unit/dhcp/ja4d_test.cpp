// JA4D and JA4D6 of real messages, and the forms the method states for what those do not show.
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4d.h"

#include <gtest/gtest.h>

#include "tests/unit/dhcp/messages.h"

namespace seine::fingerprint {
namespace {

std::string printed(const dhcp::Message& message) {
    FixedString<kJa4dBytesMax> out;
    ja4d(message, out);
    EXPECT_FALSE(out.truncated());
    return std::string(out.view());
}

TEST(Ja4d, PrintsTheExpectedValuesOfTheVectors) {
    for (const dhcp::Sample& sample : dhcp::kSamples) {
        dhcp::Message message;
        const dhcp::Bytes bytes = dhcp::message_of(sample);
        ASSERT_EQ(sample.op == 0 ? dhcp::read_v6(bytes, message) : dhcp::read_v4(bytes, message),
                  Parse::ok);
        EXPECT_EQ(printed(message), sample.ja4d);
    }
}

TEST(Ja4d, CapsTheSizeAndNumbersUnknownTypes) {
    dhcp::Message message;
    ASSERT_EQ(dhcp::read_v4(dhcp::message_v4(1, "3501fa3902ffff510100ff"), message), Parse::ok);
    EXPECT_EQ(printed(message), "002509999nd_57_00");
    ASSERT_EQ(dhcp::read_v4(dhcp::message_v4(1, "35011239020240ff"), message), Parse::ok);
    EXPECT_EQ(printed(message), "dhtls0576nn_57_00");
    ASSERT_EQ(dhcp::read_v6(unhex("25000001"), message), Parse::ok);
    EXPECT_EQ(printed(message), "arrep0000nn_00_00");
}

TEST(Ja4d, HoldsTheLongestLists) {
    std::string options = "01000001";
    for (int i = 0; i < 64; ++i) options += "ffff0000";
    options += "00060100";
    for (int i = 0; i < 128; ++i) options += "ffff";
    for (int i = 0; i < 63; ++i) options += "ffff0000";
    dhcp::Message message;
    ASSERT_EQ(dhcp::read_v6(unhex(options), message), Parse::ok);
    EXPECT_EQ(printed(message).size(), 11u + 1 + 127 * 6 + 1 + 1 + 128 * 6 - 1);
}

}  // namespace
}  // namespace seine::fingerprint
#endif
