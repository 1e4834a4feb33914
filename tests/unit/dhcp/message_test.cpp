// DHCP messages: real ones, every truncation, every changed byte, bounds, nested options.
#include "dataplane/dhcp/message.h"

#include <gtest/gtest.h>

#include "tests/unit/dhcp/messages.h"

namespace seine::dhcp {
namespace {

std::vector<int> codes(const OptionCodes& list) { return {list.begin(), list.end()}; }

TEST(DhcpV4, ReadsADiscover) {
    Message message;
    ASSERT_EQ(read_v4(message_of(kSamples[0]), message), Parse::ok);
    EXPECT_EQ(message.family, Family::v4);
    EXPECT_EQ(message.type, 1);
    EXPECT_EQ(codes(message.options), (std::vector<int>{53, 61, 50, 55}));
    EXPECT_EQ(codes(message.requested), (std::vector<int>{1, 3, 6, 42}));
    EXPECT_TRUE(message.requests_address);
    EXPECT_FALSE(message.has_fqdn);
    EXPECT_EQ(message.max_message_bytes, 0);
}

TEST(DhcpV4, ReadsSizeFqdnAndPadding) {
    Message message;
    ASSERT_EQ(read_v4(message_v4(1, "000035010100390205dc510300ffff"), message),
              Parse::ok);  // no end
    EXPECT_EQ(message.max_message_bytes, 1500);
    EXPECT_TRUE(message.has_fqdn);
    EXPECT_EQ(codes(message.options), (std::vector<int>{53, 57, 81}));
}

TEST(DhcpV4, RefusesWhatIsNotDhcp) {
    Message message;
    EXPECT_EQ(read_v4(message_v4(1, "3d0101ff"), message), Parse::not_this);  // BOOTP: no type
    EXPECT_EQ(read_v4(message_v4(3, "350101ff"), message), Parse::not_this);
    Bytes bytes = message_v4(1, "350101ff");
    bytes[2] = 17;  // hardware address past its field
    EXPECT_EQ(read_v4(bytes, message), Parse::not_this);
    bytes[2] = 6;
    bytes[238] ^= 1;  // cookie
    EXPECT_EQ(read_v4(bytes, message), Parse::not_this);
    EXPECT_FALSE(looks_like_v4(bytes));
    EXPECT_EQ(read_v4(message_v4(1, "35020101ff"), message), Parse::malformed);
    EXPECT_EQ(read_v4(message_v4(1, "350101390105ff"), message), Parse::malformed);
}

TEST(DhcpV4, StopsAtItsBounds) {
    std::string options = "350101";
    for (std::size_t i = 1; i < kOptionsMax; ++i) options += "0c00";
    Message message;
    EXPECT_EQ(read_v4(message_v4(1, options), message), Parse::ok);
    EXPECT_EQ(message.options.size(), kOptionsMax);
    EXPECT_EQ(read_v4(message_v4(1, options + "0c00"), message), Parse::limit);
    std::string list = "35010137ff";
    for (int i = 0; i < 255; ++i) list += "01";
    EXPECT_EQ(read_v4(message_v4(1, list), message), Parse::limit);
}

TEST(DhcpV6, ListsNestedOptionsInOrder) {
    Message message;
    ASSERT_EQ(read_v6(message_of(kSamples[6]), message), Parse::ok);
    EXPECT_EQ(message.family, Family::v6);
    EXPECT_EQ(message.type, 2);
    EXPECT_EQ(codes(message.options), (std::vector<int>{25, 26, 1, 2}));
    EXPECT_EQ(message.client_duid_bytes, 14);
    // IA_NA with an address that holds a status code, then IA_TA.
    ASSERT_EQ(read_v6(unhex("07000001"
                            "0003002e000000010000000000000000"
                            "0005001e"
                            "20010db8000000000000000000000001"
                            "0000000100000002"
                            "000d00020000"
                            "00040004"
                            "00000009"),
                      message),
              Parse::ok);
    EXPECT_EQ(codes(message.options), (std::vector<int>{3, 5, 13, 4}));
    EXPECT_TRUE(message.requests_address);
}

TEST(DhcpV6, ListsARelaysOwnOptions) {
    Bytes relay(34);
    relay[0] = 12;
    const Bytes inner = unhex("0009000801000001000e0000");
    relay.insert(relay.end(), inner.begin(), inner.end());
    Message message;
    ASSERT_EQ(read_v6(relay, message), Parse::ok);
    EXPECT_EQ(codes(message.options), (std::vector<int>{9}));
    for (std::size_t size = 4; size < 34; ++size) {
        EXPECT_EQ(read_v6(ByteView(relay).first(size), message), Parse::need_more);
    }
}

TEST(DhcpV6, RefusesWhatCannotBe) {
    Message message;
    EXPECT_EQ(read_v6({}, message), Parse::not_this);
    EXPECT_EQ(read_v6(unhex("00000001"), message), Parse::not_this);
    EXPECT_EQ(read_v6(unhex("26000001"), message), Parse::not_this);
    EXPECT_EQ(read_v6(unhex("01000001"
                            "0003000b"
                            "0000000000000000000000"),
                      message),
              Parse::malformed);
    EXPECT_EQ(read_v6(unhex("01000001"
                            "00040006"
                            "00000000"
                            "0001"),
                      message),
              Parse::malformed);
    EXPECT_EQ(read_v6(unhex("01000001"
                            "00060003"
                            "000000"),
                      message),
              Parse::malformed);
    std::string many = "01000001";
    for (std::size_t i = 0; i < kOptionsMax; ++i) many += "000e0000";
    EXPECT_EQ(read_v6(unhex(many), message), Parse::ok);
    EXPECT_EQ(read_v6(unhex(many + "000e0000"), message), Parse::limit);
}

TEST(DhcpV6, IsRecognisedByPortsAndAnExactFit) {
    const Bytes bytes = message_of(kSamples[5]);
    EXPECT_TRUE(looks_like_v6(bytes, 546, 547));
    EXPECT_TRUE(looks_like_v6(bytes, 547, 547));  // relay to server
    EXPECT_FALSE(looks_like_v6(bytes, 546, 53));
    EXPECT_FALSE(looks_like_v6(ByteView(bytes).first(bytes.size() - 1), 546, 547));
    EXPECT_FALSE(looks_like_v6(ByteView(bytes).first(4), 546, 547));
}

TEST(Dhcp, AnswersEveryTruncationAndEveryChangedByte) {
    for (const Sample& sample : kSamples) {
        const Bytes whole = message_of(sample);
        const auto read = sample.op == 0 ? read_v6 : read_v4;
        Message message;
        for (std::size_t size = 0; size <= whole.size(); ++size) {
            const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            const Parse status = read(cut, message);
            EXPECT_NE(status, Parse::limit);
            EXPECT_NE(status, Parse::malformed) << "a cut message is not a broken one, " << size;
        }
        Bytes changed = whole;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            for (unsigned value = 0; value < 256; value += 5) {
                changed[i] = static_cast<std::uint8_t>(value);
                static_cast<void>(read(changed, message));
                EXPECT_LE(message.options.size(), kOptionsMax);
            }
            changed[i] = whole[i];
        }
    }
}

}  // namespace
}  // namespace seine::dhcp
