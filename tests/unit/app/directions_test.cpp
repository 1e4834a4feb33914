// When an operator hears that flows show one direction only.
#include "dataplane/app/directions.h"

#include <gtest/gtest.h>

namespace seine::app {
namespace {

constexpr std::int64_t kMinute = DirectionWatch::kStretchNs;

TEST(Directions, AreReadFromTheTotalsByName) {
    const auto out = directions_of({{"packets", 7, ""},
                                    {"flows_seen_both", 60, ""},
                                    {"flows_seen_client_only", 30, ""},
                                    {"flows_seen_server_only", 10, ""}});
    EXPECT_EQ(out.both, 60u);
    EXPECT_EQ(out.client_only, 30u);
    EXPECT_EQ(out.server_only, 10u);
    EXPECT_EQ(out.one_sided_share(), 4000u);
    EXPECT_EQ(Directions().one_sided_share(), 0u);
}

TEST(Directions, AChangeIsToldOnceAndItsEndToo) {
    DirectionWatch watch;
    EXPECT_EQ(watch.tend({}, 0), "");
    Directions sum{1000, 0, 0};
    EXPECT_EQ(watch.tend(sum, kMinute), "");
    EXPECT_EQ(watch.last().both, 1000u);
    sum.client_only += 600;
    sum.both += 400;
    const std::string told = watch.tend(sum, 2 * kMinute);
    EXPECT_NE(told.find("60 %"), std::string::npos) << told;
    EXPECT_NE(told.find("the client's"), std::string::npos) << told;
    EXPECT_NE(told.find("before: 0 %"), std::string::npos) << told;
    // As before, so nothing new.
    sum.client_only += 550;
    sum.both += 450;
    EXPECT_EQ(watch.tend(sum, 3 * kMinute), "");
    sum.both += 1000;
    const std::string back = watch.tend(sum, 4 * kMinute);
    EXPECT_NE(back.find("before: 60 %"), std::string::npos) << back;
    EXPECT_NE(back.find("is back"), std::string::npos) << back;
}

TEST(Directions, AFewFlowsSayNothingAndAreKeptForTheNextMinute) {
    DirectionWatch watch;
    EXPECT_EQ(watch.tend({}, 0), "");
    EXPECT_EQ(watch.tend({0, 0, 99}, kMinute), "");
    EXPECT_EQ(watch.last().sum(), 0u);
    EXPECT_NE(watch.tend({0, 0, 100}, 2 * kMinute), "");
    EXPECT_EQ(watch.last().server_only, 100u);
}

}  // namespace
}  // namespace seine::app
