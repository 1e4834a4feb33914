// HTTP/2 openings as text: the examples of fingerprints.md, the forms of what is absent, and
// refusals.
#include "dataplane/fingerprint/h2_client.h"

#include <string>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::fingerprint;

struct Opening {
    http::H2Opening opening;
    http::Request first;
    Opening() {
        opening.settled = true;
        opening.settings_seen = true;
    }
    Opening& set(std::uint16_t id, std::uint32_t value) {
        EXPECT_TRUE(opening.settings.push({value, id}));
        return *this;
    }
    Opening& window(std::uint32_t increment) {
        opening.window_seen = true;
        opening.window_increment = increment;
        return *this;
    }
    Opening& priority(std::uint32_t stream, bool exclusive, std::uint32_t depends_on,
                      std::uint16_t weight) {
        EXPECT_TRUE(opening.priorities.push({stream, depends_on, weight, exclusive}));
        return *this;
    }
    Opening& pseudo(std::initializer_list<const char*> names) {
        for (const char* name : names) EXPECT_TRUE(first.headers.push(name, "v"));
        return *this;
    }
    [[nodiscard]] std::string common() const {
        FixedString<kH2ClientBytesMax> out;
        return h2_client(opening, first, out) ? std::string(out.view()) : "none";
    }
    [[nodiscard]] std::string own() const {
        FixedString<kH2SettingsBytesMax> out;
        return h2_settings(opening, first, out) ? std::string(out.view()) : "none";
    }
};

TEST(H2Client, PrintsAChromeLikeOpening) {
    Opening o;
    o.set(1, 65536).set(2, 0).set(3, 1000).set(4, 6291456).set(6, 262144).window(15663105);
    o.pseudo({":method", ":authority", ":scheme", ":path", "accept"});
    EXPECT_EQ(o.common(), "1:65536;2:0;3:1000;4:6291456;6:262144|15663105|0|m,a,s,p");
    EXPECT_EQ(o.own(), "1=65536,2=0,3=1000,4=6291456,6=262144/15663105/masp/0");
}

TEST(H2Client, PrintsAFirefoxLikeOpening) {
    Opening o;
    o.set(1, 65536).set(4, 131072).set(5, 16384).window(12517377);
    o.priority(3, false, 0, 201).priority(5, false, 0, 101).priority(7, false, 0, 1);
    o.priority(9, false, 7, 1).priority(11, false, 3, 1).priority(13, false, 0, 241);
    o.pseudo({":method", ":path", ":authority", ":scheme"});
    EXPECT_EQ(o.common(),
              "1:65536;4:131072;5:16384|12517377|"
              "3:0:0:201,5:0:0:101,7:0:0:1,9:0:7:1,11:0:3:1,13:0:0:241|m,p,a,s");
    EXPECT_EQ(o.own(), "1=65536,4=131072,5=16384/12517377/mpas/6");
}

TEST(H2Client, PrintsWhatIsAbsent) {
    Opening o;
    o.set(3, 256).set(4, 33554432).pseudo({":method", ":path", ":scheme", ":authority"});
    EXPECT_EQ(o.common(), "3:256;4:33554432|00|0|m,p,s,a");
    Opening empty;
    EXPECT_EQ(empty.common(), "|00|0|");
    EXPECT_EQ(empty.own(), "/0//0");
    empty.priority(1, true, 3, 256);
    EXPECT_EQ(empty.common(), "|00|1:1:3:256|");
}

TEST(H2Client, IsNoneForWhatWasNotSeenWhole) {
    Opening unsettled;
    unsettled.opening.settled = false;
    EXPECT_EQ(unsettled.common(), "none");
    Opening silent;
    silent.opening.settings_seen = false;
    EXPECT_EQ(silent.own(), "none");
    Opening cut;
    cut.opening.cut = true;
    EXPECT_EQ(cut.common(), "none");
}

TEST(H2Client, TheLargestOpeningFits) {
    Opening o;
    for (std::size_t i = 0; i < http::H2Opening::kSettingsMax; ++i) o.set(65535, 4294967295u);
    for (std::size_t i = 0; i < http::H2Opening::kPrioritiesMax; ++i)
        o.priority(2147483647, true, 2147483647, 256);
    o.window(2147483647).pseudo({":method", ":path", ":scheme", ":authority"});
    FixedString<kH2ClientBytesMax> common;
    FixedString<kH2SettingsBytesMax> own;
    EXPECT_TRUE(h2_client(o.opening, o.first, common));
    EXPECT_FALSE(common.truncated());
    EXPECT_TRUE(h2_settings(o.opening, o.first, own));
    EXPECT_FALSE(own.truncated());
}

}  // namespace
