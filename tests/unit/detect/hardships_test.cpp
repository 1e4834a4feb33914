// What happens to detection from outside: tags change, sightings come twice, late, out of order or
// not at all, and people report what is not so. None of it may move an alert.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kHourNs;
using test::kStart;
using test::mixed;
using test::tag_of;
using test::Town;
using test::Visit;

constexpr std::uint64_t kRelayed = 100'000, kSharing = 200'000, kEpoch = 50'000'000;

// A town with a farm behind relays and one that shares sessions.
void two_farms(Town& town) {
    town.people(1, 2500);
    town.relayed_farm(kRelayed, 60);
    town.sharing_farm(kSharing);
}

// Everything there is to hand over, in order of time: each visit as it opens and as it ends.
std::vector<model::Sighting> in_order(const Town& town) {
    std::vector<model::Sighting> out;
    for (std::size_t i = 0; i < town.visits.size(); ++i) {
        out.push_back(test::sighting(town.visits[i], i + 1, false));
        out.push_back(test::sighting(town.visits[i], i + 1, true));
    }
    const auto told = [](const model::Sighting& s) {
        return s.flow.closed ? s.flow.t_close.count : s.flow.t_open.count;
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](const auto& a, const auto& b) { return told(a) < told(b); });
    return out;
}

using Alerts = std::map<std::string, std::uint64_t>;  // account, and its farm

Alerts alerts_of(const Engine& engine) {
    Alerts out;
    engine.results([&](const AccountResult& r) {
        if (r.alerted) out[to_text(r.account)] = r.farm;
    });
    return out;
}

// Plays a stream with a sweep in the middle and one at the end.
Alerts played(const std::vector<model::Sighting>& stream, Counters* counters = nullptr) {
    Town town;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        town.engine->take(stream[i]);
        if (i == stream.size() / 2) town.engine->sweep({kStart + 3 * kDayNs});
    }
    town.engine->sweep({kStart + 6 * kDayNs + kHourNs});
    if (counters != nullptr) *counters = town.engine->counters();
    return alerts_of(*town.engine);
}

class Hardships : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        Town town;
        two_farms(town);
        stream_ = new std::vector<model::Sighting>(in_order(town));
        expected_ = new Alerts(played(*stream_));
    }
    static void TearDownTestSuite() {
        delete stream_;
        delete expected_;
    }
    static std::vector<model::Sighting>* stream_;
    static Alerts* expected_;
};
std::vector<model::Sighting>* Hardships::stream_ = nullptr;
Alerts* Hardships::expected_ = nullptr;

TEST_F(Hardships, WithoutAnyBothFarmsAreFound) {
    EXPECT_GE(expected_->size(), 64u);
    EXPECT_LE(expected_->size(), 65u);
}

TEST_F(Hardships, OpeningsThatComeTwiceChangeNothingButACounter) {
    std::vector<model::Sighting> twice;
    for (std::size_t i = 0; i < stream_->size(); ++i) {
        twice.push_back((*stream_)[i]);
        if (i % 3 == 0 && !(*stream_)[i].flow.closed) twice.push_back((*stream_)[i]);
    }
    Counters counters;
    EXPECT_EQ(played(twice, &counters), *expected_);
    EXPECT_EQ(counters.sightings, twice.size());
    EXPECT_EQ(counters.connections, stream_->size() / 2);
}

TEST_F(Hardships, LateAndReorderedOnesChangeNobody) {
    std::vector<std::pair<std::int64_t, std::size_t>> order;
    for (std::size_t i = 0; i < stream_->size(); ++i) {
        const model::Flow& flow = (*stream_)[i].flow;
        const std::int64_t told = flow.closed ? flow.t_close.count : flow.t_open.count;
        // Some seconds of disorder for all, half a minute for one in ten.
        const std::int64_t late =
            mixed(i, 5) % 10 == 0 ? 30 : static_cast<std::int64_t>(mixed(i, 6) % 4);
        order.emplace_back(told + late * kSecond, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<model::Sighting> shuffled;
    for (const auto& [at, i] : order) shuffled.push_back((*stream_)[i]);
    EXPECT_EQ(played(shuffled), *expected_);
}

TEST_F(Hardships, OneInAHundredLostChangesNobody) {
    std::vector<model::Sighting> fewer;
    for (std::size_t i = 0; i < stream_->size(); ++i) {
        if (mixed(i, 7) % 100 != 0) fewer.push_back((*stream_)[i]);
    }
    Alerts found = played(fewer);
    for (const auto& [account, farm] : found) EXPECT_TRUE(expected_->contains(account)) << account;
    EXPECT_GE(found.size() + 1, expected_->size());
}

// A quarterly rotation: every tag of account and organisation changes, and both go on for a while.
TEST_F(Hardships, ARotationOfAllTagsKeepsEveryFarm) {
    Town town;
    two_farms(town);
    std::vector<model::Sighting> stream = in_order(town);
    Town turned;
    std::set<std::uint64_t> before;
    std::size_t members = 0;
    for (std::size_t i = 0; i < stream.size(); ++i) {
        if (i == 2 * stream.size() / 3) {
            turned.engine->sweep({stream[i].flow.t_open});
            for (const model::Farm& farm : turned.engine->farms()) {
                before.insert(farm.id);
                members += farm.members.size();
            }
            for (const Visit& v : town.visits) {
                model::AccountEvent rekey;
                rekey.kind = model::AccountEvent::Kind::rekey;
                rekey.at = stream[i].flow.t_open;
                rekey.previous = tag_of<model::AccountTag>(v.account);
                rekey.account = tag_of<model::AccountTag>(v.account + kEpoch);
                if (turned.engine->result(rekey.previous).account.known())
                    turned.engine->take(rekey);
            }
        }
        if (i > 2 * stream.size() / 3) {
            model::AccountUse& use = stream[i].uses.front();
            const std::uint64_t account =
                town.visits[stream[i].flow.id.counter - 1].account + kEpoch;
            use.account = tag_of<model::AccountTag>(account);
            use.org = tag_of<model::OrgTag>(account + 1'000'000'000);
        }
        turned.engine->take(stream[i]);
    }
    ASSERT_FALSE(before.empty());
    turned.engine->sweep({kStart + 6 * kDayNs + kHourNs});
    std::set<std::uint64_t> after;
    std::size_t now = 0;
    for (const model::Farm& farm : turned.engine->farms()) {
        after.insert(farm.id);
        now += farm.members.size();
    }
    EXPECT_EQ(after, before);
    EXPECT_GE(now, members);
    EXPECT_GE(turned.alerted(kRelayed + kEpoch, 60), 59u);
    EXPECT_EQ(turned.alerted(kSharing + kEpoch, 5), 5u);
    EXPECT_EQ(turned.alerted(kRelayed, 60) + turned.alerted(kSharing, 5), 0u);
    EXPECT_EQ(turned.alerted(1, 2500) + turned.alerted(1 + kEpoch, 2500), 0u);
}

// Reports from somebody who works for the farm: its client and one of its networks shall not count,
// and as many of its accounts are excused as a week allows.
TEST(PoisonedFeedback, CannotAcquitBeyondItsCap) {
    Town town;
    two_farms(town);
    const auto report = [](FeedbackRule::Subject subject, std::uint64_t value) {
        FeedbackRule rule;
        rule.subject = subject;
        rule.value = value;
        rule.owner = "somebody";
        rule.reason = "these are ours";
        rule.expires = {kStart + 30 * kDayNs};
        return rule;
    };
    ASSERT_TRUE(town.engine->add_rule(report(FeedbackRule::Subject::stack, 777), {kStart}).ok());
    ASSERT_TRUE(town.engine->add_rule(report(FeedbackRule::Subject::asn, 64'101), {kStart}).ok());
    std::size_t excused = 0;
    for (std::uint64_t a = 0; a < 20; ++a) {
        FeedbackRule rule = report(FeedbackRule::Subject::account, 0);
        rule.account = tag_of<model::AccountTag>(kRelayed + a);
        excused += town.engine->add_rule(rule, {kStart}).ok() ? 1 : 0;
    }
    town.play();
    EXPECT_EQ(excused, 20u);
    EXPECT_EQ(town.alerted(kRelayed, 20), 0u);
    EXPECT_GE(town.alerted(kRelayed + 20, 40), 38u);
    EXPECT_EQ(town.alerted(kSharing, 5), 5u);
}

// Reports against the innocent: what many of them show is taken out of the count, so that what is
// left of them is rarer. Nobody is convicted by it.
TEST(PoisonedFeedback, CannotConvict) {
    Town town;
    two_farms(town);
    FeedbackRule rule;
    rule.owner = "somebody";
    rule.reason = "everybody has it";
    rule.expires = {kStart + 30 * kDayNs};
    for (std::uint64_t n = 0; n < 12; ++n) {
        rule.subject = n % 2 == 0 ? FeedbackRule::Subject::stack : FeedbackRule::Subject::asn;
        rule.value = n % 2 == 0 ? 1 + n / 2 : 64'000 + n / 2;
        ASSERT_TRUE(town.engine->add_rule(rule, {kStart}).ok());
    }
    town.play();
    EXPECT_EQ(town.alerted(1, 2500), 0u);
    EXPECT_GE(town.alerted(kRelayed, 60), 59u);
}

}  // namespace
}  // namespace seine::detect
