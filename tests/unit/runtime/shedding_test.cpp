// Overload: the level follows the losses up and down again, and flows are left out whole.
#include "dataplane/runtime/shedding.h"

#include <set>

#include <gtest/gtest.h>

#include "dataplane/runtime/privileges.h"
#include "dataplane/runtime/telemetry.h"
#include "tests/unit/runtime/captures.h"

namespace seine::runtime {
namespace {

using runtime_test::udp_frame;
using wire::LinkType;

TEST(Shedding, RisesByTheShareThatIsLost) {
    ShedController controller;
    EXPECT_EQ(controller.tend({1000, 500}), "")
        << "what was lost before the first look is not of now";
    EXPECT_EQ(controller.level(), 0u);
    const std::string told = controller.tend({2000, 1500});
    EXPECT_NE(told.find("1000 of 2000 packets"), std::string::npos) << told;
    EXPECT_EQ(controller.level(), 64u);
    // A quarter of what is still looked at: 16 of the other 64.
    EXPECT_NE(controller.tend({2750, 1750}), "");
    EXPECT_EQ(controller.level(), 80u);
}

TEST(Shedding, AlwaysKeepsSome) {
    ShedController controller;
    ShedController::Seen sums;
    static_cast<void>(controller.tend(sums));
    for (int i = 0; i < 50; ++i) {
        sums.lost += 1000;
        static_cast<void>(controller.tend(sums));
    }
    EXPECT_EQ(controller.level(), ShedController::kLevelMax);
    EXPECT_LT(controller.level(), kShedBuckets);
}

TEST(Shedding, FallsSlowlyOnceItIsCalmAndSaysWhenItIsOver) {
    ShedController controller;
    ShedController::Seen sums{1000, 0};
    static_cast<void>(controller.tend(sums));
    sums = {1500, 500};
    static_cast<void>(controller.tend(sums));
    const unsigned peak = controller.level();
    ASSERT_EQ(peak, 64u);
    for (unsigned i = 1; i < ShedController::kCalmTends; ++i) {
        sums.received += 10000;
        EXPECT_EQ(controller.tend(sums), "");
        EXPECT_EQ(controller.level(), peak);
    }
    std::string told;
    int turns = 0;
    while (controller.level() > 0 && ++turns < 100) {
        sums.received += 10000;
        sums.lost += 1;  // one in ten thousand is no overload
        told = controller.tend(sums);
    }
    EXPECT_LT(turns, 40);
    EXPECT_EQ(told, "overload is over: no flow is left out any more");
}

TEST(Shedding, BothDirectionsOfAFlowAreInOneBucketAndFlowsInMany) {
    std::set<unsigned> used;
    for (unsigned flow = 0; flow < 2000; ++flow) {
        const unsigned there = shed_bucket(nullptr, udp_frame(100, flow), LinkType::ethernet);
        EXPECT_EQ(there, shed_bucket(nullptr, udp_frame(300, flow, true), LinkType::ethernet));
        EXPECT_LT(there, kShedBuckets);
        used.insert(there);
    }
    EXPECT_EQ(used.size(), kShedBuckets);
}

TEST(Shedding, TakesTheHashOfACardThatSpreadsFlowsAsWeDo) {
    const std::uint32_t hash = 1024 + 77;
    EXPECT_EQ(shed_bucket(&hash, udp_frame(100, 1), LinkType::ethernet), 77u);
}

TEST(Telemetry, KnowsALossByItsName) {
    for (const char* name : {"handover_dropped", "packets_shed", "decode_truncated",
                             "flows_evicted", "quic_gave_up", "forward_dropped"})
        EXPECT_TRUE(Telemetry::says_a_loss(name)) << name;
    for (const char* name :
         {"decode_ok", "packets", "flows_seen_both", "records_open", "packets_forwarded"})
        EXPECT_FALSE(Telemetry::says_a_loss(name)) << name;
}

TEST(Privileges, RefusesUsersThatAreNotThereAndRoot) {
    const auto missing = find_user("no-such-user-seine");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), Code::not_found);
    EXPECT_NE(missing.error().message().find("useradd"), std::string::npos);
    const auto root = find_user("root");
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().code(), Code::usage);
    const auto nobody = find_user("nobody");
    ASSERT_TRUE(nobody);
    EXPECT_NE(nobody->uid, 0u);
}

}  // namespace
}  // namespace seine::runtime
