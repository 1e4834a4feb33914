// Numbers as text: every 16-bit value against the plain way.
#include "dataplane/fingerprint/number_text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace seine::fingerprint {
namespace {

TEST(NumberText, WritesEveryNumber) {
    for (unsigned value = 0; value < 0x10000; ++value) {
        char plain[16];
        char room[16];
        std::snprintf(plain, sizeof plain, "%04x,%04x%u", value, value, value);
        TextWriter text(room);
        text.hex_item(static_cast<std::uint16_t>(value), true);
        text.hex_item(static_cast<std::uint16_t>(value), false);
        text.decimal(static_cast<std::uint16_t>(value));
        ASSERT_EQ(text.view(), plain);
    }
}

TEST(NumberText, StopsAtTheEndOfItsRoom) {
    for (std::size_t bytes = 0; bytes < 9; ++bytes) {
        std::vector<char> room(bytes);
        TextWriter text(room);
        text.hex_item(0x1301, true);
        text.hex_item(0xc02f, false);
        EXPECT_EQ(text.view(), std::string("1301,c02f").substr(0, bytes));
        EXPECT_TRUE(text.truncated());
    }
}

}  // namespace
}  // namespace seine::fingerprint
