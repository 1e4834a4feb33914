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

FeedbackRule rule_with(FeedbackRule::Effect effect, FeedbackRule::Subject subject,
                       std::uint64_t value, double nats = 0) {
    FeedbackRule r = rule(subject, value);
    r.effect = effect;
    r.nats = nats;
    r.group = model::Group::stk;
    return r;
}

using Effect = FeedbackRule::Effect;
using Subject = FeedbackRule::Subject;

TEST(Feedback, EffectsAreBoundedAndFitTheirSubject) {
    Feedback feedback;
    const auto takes = [&](const FeedbackRule& r) { return feedback.add(r, {kStart}).ok(); };
    EXPECT_TRUE(takes(rule_with(Effect::cap, Subject::asn, 1, 0)));
    EXPECT_FALSE(takes(rule_with(Effect::cap, Subject::asn, 1, -1)));
    EXPECT_FALSE(takes(rule_with(Effect::cap, Subject::asn, 1, 7)));
    EXPECT_TRUE(takes(rule_with(Effect::prior, Subject::account, 0, -2)));
    EXPECT_FALSE(takes(rule_with(Effect::prior, Subject::asn, 1, 2.5)));
    EXPECT_FALSE(takes(rule_with(Effect::prior, Subject::asn, 1, 0)));
    EXPECT_TRUE(takes(rule_with(Effect::intermediary, Subject::address, 1)));
    EXPECT_FALSE(takes(rule_with(Effect::intermediary, Subject::account, 0)));
    FeedbackRule r = rule_with(Effect::network, Subject::asn, 1);
    EXPECT_FALSE(takes(r));
    r.net = NetClass::education;
    EXPECT_TRUE(takes(r));
    r.subject = Subject::stack;
    EXPECT_FALSE(takes(r));
}

TEST(Feedback, EachOfManyRulesIsFoundByItsValue) {
    Feedback feedback;
    for (std::uint64_t v = 1; v <= 1000; ++v) {
        ASSERT_TRUE(feedback.add(rule(v % 2 == 0 ? Subject::asn : Subject::address, v), {kStart}).ok());
    }
    for (std::uint64_t v = 1; v <= 1000; ++v) {
        EXPECT_EQ(feedback.excluded(Channel::network, v), v % 2 == 0) << v;
        EXPECT_EQ(feedback.excluded(Channel::address, v), v % 2 == 1) << v;
    }
    EXPECT_FALSE(feedback.excluded(Channel::network, 1001));
}

double sum_of(const Explanation& why) {
    double sum = 0;
    for (const model::EvidenceLine& line : why.lines) sum += line.nats;
    return sum;
}

// A cap and a prior on the client of a farm: each account loses what they take, and `why` says so.
TEST(Feedback, CapsAndPriorsAreLinesOfTheScore) {
    const model::AccountTag account = tag_of<model::AccountTag>(100'004);
    const auto played = [&](const std::vector<FeedbackRule>& rules) {
        Town town;
        town.people(1, 2000);
        town.relayed_farm(100'000, 50);
        for (const FeedbackRule& r : rules) EXPECT_TRUE(town.engine->add_rule(r, {kStart}).ok());
        town.play();
        return town.engine->why(account);
    };
    const Explanation plain = played({});
    const Explanation ruled = played({rule_with(Effect::cap, Subject::stack, 777, 1),
                                      rule_with(Effect::prior, Subject::stack, 777, -2)});
    EXPECT_NEAR(sum_of(ruled), ruled.result.score_nats, 1e-6);
    double stack = 0, moved = 0;
    std::string said;
    for (const model::EvidenceLine& line : plain.lines) {
        if (line.groups == bit_of(model::Group::stk)) stack = line.nats;
    }
    for (const model::EvidenceLine& line : ruled.lines) {
        if (line.groups == bit_of(model::Group::stk)) {
            EXPECT_NEAR(line.nats, 1, 1e-6);
            said = line.sentence;
        }
        if (line.channels == "feedback") moved = line.nats;
    }
    EXPECT_GT(stack, 2);
    EXPECT_NE(said.find("A rule of feedback"), std::string::npos) << said;
    EXPECT_NEAR(moved, -2, 1e-6);
    EXPECT_LT(ruled.result.score_nats, plain.result.score_nats - 2);
}

TEST(Feedback, APriorCannotConvict) {
    Town town;
    town.people(1, 2000);
    town.relayed_farm(100'000, 50);
    for (std::uint64_t stack = 1; stack < 28; ++stack) {
        for (int times = 0; times < 3; ++times) {
            FeedbackRule r = rule_with(Effect::prior, Subject::stack, stack, 2);
            r.reason += std::to_string(times);
            ASSERT_TRUE(town.engine->add_rule(r, {kStart}).ok());
        }
    }
    town.play();
    EXPECT_EQ(town.alerted(1, 2000), 0u);
    EXPECT_GE(town.alerted(100'000, 50), 48u);
    EXPECT_LE(sum_of(town.engine->why(tag_of<model::AccountTag>(7))), 2.0);
}

constexpr std::uint32_t kServer = 40u << 24 | 77;

TEST(Feedback, ADeclaredIntermediaryLeavesNoEvidence) {
    Town town;
    town.people(1, 2000);
    town.sharing_farm(200'000);
    ASSERT_TRUE(
        town.engine->add_rule(rule_with(Effect::intermediary, Subject::address, kServer), {kStart})
            .ok());
    town.play();
    EXPECT_EQ(town.alerted(200'000, 5), 0u);
    EXPECT_EQ(town.engine->counters().through_intermediary, 2u * 5 * 12);
}

// Declared after they were accused: the next sweep lets them go, and they do not come back.
TEST(Feedback, AnIntermediaryDeclaredLateLetsItsAccountsGo) {
    Town town;
    town.people(1, 2000);
    town.sharing_farm(200'000);
    town.play();
    ASSERT_EQ(town.alerted(200'000, 5), 5u);
    ASSERT_TRUE(
        town.engine->add_rule(rule_with(Effect::intermediary, Subject::address, kServer), town.end)
            .ok());
    town.engine->sweep({town.end.count + kDayNs / 24});
    EXPECT_EQ(town.alerted(200'000, 5), 0u);
    EXPECT_TRUE(town.engine->farms().empty());
    test::Visit again;
    again.account = 200'001;
    again.at = town.end.count + kDayNs / 12;
    again.address = kServer;
    town.engine->take(sighting(again, 9'999'999, false));
    town.engine->tick({again.at + kSecond});
    EXPECT_EQ(town.alerted(200'000, 5), 0u);
}

// At once for an account that is mostly there, and for its values from its next connection on.
TEST(Feedback, ANetworkIsOfTheClassThatItIsSaidToBe) {
    Feedback feedback;
    FeedbackRule r = rule_with(Effect::network, Subject::asn, 64'300);
    r.net = NetClass::education;
    ASSERT_TRUE(feedback.add(r, {kStart}).ok());
    Observer observer{Options{}};
    observer.set_prefixes(Town::networks());
    test::Visit visit;
    visit.account = 7;
    visit.address = kServer;
    observer.take(test::sighting(visit, 1, false));
    const auto class_of_row = [&](const Rules* rules) {
        return Population(observer, {kStart + kDayNs}, 7 * kDayNs, rules).rows.at(0).net;
    };
    EXPECT_EQ(class_of_row(nullptr), NetClass::hosting);
    EXPECT_EQ(class_of_row(&feedback), NetClass::education);
    const auto class_of_address = [&] {
        for (const Token& t : observer.accounts[0].tokens) {
            if (t.channel == Channel::address) return static_cast<NetClass>(t.net);
        }
        return NetClass::unknown;
    };
    EXPECT_EQ(class_of_address(), NetClass::hosting);
    observer.set_rules(&feedback);
    observer.take(test::sighting(visit, 2, false));
    EXPECT_EQ(class_of_address(), NetClass::education);
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
