// Lists: networks, names and texts, one a line.
#include "dataplane/signature/list_file.h"

#include <gtest/gtest.h>

namespace seine::signature {
namespace {

ListFile list(std::string_view text, FieldKind kind, std::string* told = nullptr) {
    Problems problems;
    ListFile out = ListFile::parse("l.txt", text, kind, problems);
    if (told != nullptr) *told = problems.lines();
    return out;
}

TEST(ListFile, HoldsNetworksOfBothFamilies) {
    const ListFile out =
        list("10.0.0.0/8\n10.1.0.0/16 # inside\n192.0.2.7\n2001:db8::/33\n::ffff:203.0.113.0/120\n",
             FieldKind::address);
    EXPECT_EQ(out.size(), 4u);
    for (const char* in : {"10.255.255.255", "192.0.2.7", "2001:db8:7fff::1", "203.0.113.9"})
        EXPECT_TRUE(out.contains(in)) << in;
    for (const char* no : {"11.0.0.0", "192.0.2.8", "2001:db8:8000::1", "203.0.114.1", "x", ""})
        EXPECT_FALSE(out.contains(no)) << no;
}

TEST(ListFile, ComparesNamesWithoutCaseAndTakesWhatLiesBelow) {
    const ListFile out = list("Api.Example.com\n*.cdn.example.net\n", FieldKind::name);
    EXPECT_TRUE(out.contains("API.example.COM"));
    EXPECT_TRUE(out.contains("a.b.cdn.example.net"));
    EXPECT_FALSE(out.contains("cdn.example.net"));
    EXPECT_FALSE(out.contains("x.api.example.com"));
}

TEST(ListFile, TellsTheLineOfAMistake) {
    std::string told;
    list("10.0.0.1/8\n", FieldKind::address, &told);
    EXPECT_NE(told.find("l.txt:1:1: `10.0.0.1/8` is no network"), std::string::npos) << told;
    list("ok\nt13*\n", FieldKind::text, &told);
    EXPECT_NE(told.find("l.txt:2:1: `t13*`"), std::string::npos) << told;
    list(std::string_view("a\0b\n", 4), FieldKind::text, &told);
    EXPECT_NE(told.find("zero byte"), std::string::npos) << told;
}

TEST(ListFile, ReadsAddressesOnlyAsTheyAreWritten) {
    std::array<std::uint8_t, 16> address{};
    for (const char* good : {"1.2.3.4", "::", "::1", "1::", "2001:db8::1:2", "1:2:3:4:5:6:7:8",
                             "::1.2.3.4", "64:ff9b::1.2.3.4"})
        EXPECT_TRUE(parse_address(good, address)) << good;
    for (const char* bad :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
          ":1", "1:", "12345::", "::1.2.3", "1.2.3.4 "})
        EXPECT_FALSE(parse_address(bad, address)) << bad;
}

}  // namespace
}  // namespace seine::signature
