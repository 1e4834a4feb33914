// Rules of feedback: what they take away, what they may not do, and how they end.
#include "control/detect/feedback.h"

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kStart;
using test::tag_of;
using test::Town;

FeedbackRule rule(FeedbackRule::Subject subject, std::uint64_t value) {
    FeedbackRule r;
    r.subject = subject;
    r.value = value;
    r.owner = "netops";
    r.reason = "our own test lab";
    r.expires = {kStart + 30 * kDayNs};
    return r;
}

TEST(Feedback, NeedsAnOwnerAReasonAndAnEnd) {
    Feedback feedback;
    const Nanos now{kStart};
    FeedbackRule r = rule(FeedbackRule::Subject::asn, 64'500);
    EXPECT_TRUE(feedback.add(r, now).ok());
    r.owner.clear();
    EXPECT_FALSE(feedback.add(r, now).ok());
    r = rule(FeedbackRule::Subject::asn, 64'500);
    r.reason.clear();
    EXPECT_FALSE(feedback.add(r, now).ok());
    r = rule(FeedbackRule::Subject::asn, 64'500);
    r.expires = now;
    EXPECT_FALSE(feedback.add(r, now).ok());
    r.expires = {kStart + 500 * kDayNs};
    EXPECT_FALSE(feedback.add(r, now).ok());
}

TEST(Feedback, CountsHitsAndExpires) {
    Feedback feedback;
    ASSERT_TRUE(feedback.add(rule(FeedbackRule::Subject::stack, 77), {kStart}).ok());
    EXPECT_TRUE(feedback.excluded(Channel::tls, 77));
    EXPECT_FALSE(feedback.excluded(Channel::network, 77));
    EXPECT_FALSE(feedback.excluded(Channel::tls, 78));
    EXPECT_EQ(feedback.rules().front().hits, 1u);
    feedback.expire({kStart + 31 * kDayNs});
    EXPECT_TRUE(feedback.rules().empty());
    EXPECT_FALSE(feedback.excluded(Channel::tls, 77));
}

TEST(Feedback, FalseReportsCannotBlindDetection) {
    Feedback feedback;
    std::size_t taken = 0;
    for (std::uint64_t a = 0; a < 500; ++a) {
        FeedbackRule r = rule(FeedbackRule::Subject::account, 0);
        r.account = tag_of<model::AccountTag>(a);
        taken += feedback.add(r, {kStart}).ok() ? 1 : 0;
    }
    EXPECT_EQ(taken, Feedback::kAccountsPerWeek);
    FeedbackRule later = rule(FeedbackRule::Subject::account, 0);
    EXPECT_TRUE(feedback.add(later, {kStart + 8 * kDayNs}).ok());
}

TEST(Feedback, AnExcludedOrganisationIsNoMember) {
    Town town;
    town.people(1, 2000);
    town.relayed_farm(100'000, 50);
    FeedbackRule r = rule(FeedbackRule::Subject::account, 0);
    r.account = tag_of<model::AccountTag>(100'004);
    ASSERT_TRUE(town.engine->add_rule(r, {kStart}).ok());
    town.play();
    EXPECT_EQ(town.alerted(100'004, 1), 0u);
    EXPECT_GE(town.alerted(100'000, 50), 48u);
    EXPECT_GT(town.engine->rules().front().hits, 0u);
}

TEST(Feedback, ADismissedFarmStaysDismissed) {
    Town town;
    town.people(1, 2000);
    town.relayed_farm(100'000, 50);
    town.play();
    const std::uint64_t id = town.engine->result(tag_of<model::AccountTag>(100'003)).farm;
    ASSERT_NE(id, 0u);
    EXPECT_FALSE(town.engine->dismiss(id, town.end, "").ok());
    EXPECT_FALSE(town.engine->dismiss(999'999, town.end, "known").ok());
    ASSERT_TRUE(town.engine->dismiss(id, town.end, "a load test of ours").ok());
    EXPECT_EQ(town.alerted(100'000, 50), 0u);
    town.engine->sweep({town.end.count + kDayNs / 4});
    EXPECT_EQ(town.alerted(100'000, 50), 0u);
    for (const model::Farm& farm : town.engine->farms()) {
        if (farm.id != id) continue;
        EXPECT_EQ(farm.state, model::FarmState::dismissed);
    }
}

}  // namespace
}  // namespace seine::detect
