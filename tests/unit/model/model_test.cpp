// Tags, addresses and value ids: text forms there and back, and what is refused.
#include <gtest/gtest.h>

#include "control/model/address.h"
#include "control/model/event.h"
#include "control/model/sighting.h"

namespace seine::model {
namespace {

TEST(Tag, TextGoesThereAndBackAndNothingElseIsTaken) {
    AccountTag tag;
    ASSERT_TRUE(from_text("00112233445566778899AABBccddeeff", tag));
    EXPECT_EQ(to_text(tag), "00112233445566778899aabbccddeeff");
    EXPECT_TRUE(tag.known());
    const AccountTag before = tag;
    for (const char* wrong :
         {"", "0011", "00112233445566778899aabbccddeefg", "00112233445566778899aabbccddeeff0"}) {
        EXPECT_FALSE(from_text(wrong, tag)) << wrong;
        EXPECT_EQ(tag, before);
    }
    EXPECT_FALSE(AccountTag{}.known());
}

TEST(Address, ReadsBothVersionsAsRecordsKeepThem) {
    Address address{};
    ASSERT_TRUE(from_text("192.0.2.7", address));
    EXPECT_TRUE(is_v4(address));
    EXPECT_EQ(to_text(address), "192.0.2.7");
    ASSERT_TRUE(from_text("::ffff:192.0.2.7", address));
    EXPECT_EQ(to_text(address), "192.0.2.7");
    ASSERT_TRUE(from_text("[2001:db8:0:0::1]", address));
    EXPECT_FALSE(is_v4(address));
    EXPECT_EQ(to_text(address), "2001:db8::1");
}

TEST(Address, RefusesWhatIsNone) {
    Address address{};
    using namespace std::string_view_literals;
    for (const std::string_view wrong :
         {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.7:80"sv, "fe80::1%eth0"sv, "host"sv,
          "192.0.2.7\0"sv, "2001:db8::1::2"sv, "[]"sv,
          "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"sv}) {
        EXPECT_FALSE(from_text(wrong, address)) << wrong;
    }
    EXPECT_EQ(address, Address{});
}

TEST(Address, PrefixClearsTheRest) {
    Address address{};
    ASSERT_TRUE(from_text("203.0.113.77", address));
    EXPECT_EQ(to_text(prefix_of(address, 120)), "203.0.113.0");
    EXPECT_EQ(prefix_of(address, 128), address);
    EXPECT_EQ(prefix_of(address, 0), Address{});
    ASSERT_TRUE(from_text("2001:db8:1:2:ffff::1", address));
    EXPECT_EQ(to_text(prefix_of(address, 64)), "2001:db8:1:2::");
    EXPECT_EQ(to_text(prefix_of(address, 55)), "2001:db8:1::");
}

TEST(Value, AbsentIsZeroAndTextsDiffer) {
    EXPECT_EQ(value_id(""), 0u);
    EXPECT_NE(value_id("a"), value_id("b"));
    EXPECT_EQ(value_id("t13d1516h2"), value_id("t13d1516h2"));
}

}  // namespace
}  // namespace seine::model
