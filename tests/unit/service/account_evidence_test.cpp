// Evidence against accounts as events: each account of a farm once, strongest first, and bounded.
#include "control/service/account_evidence.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::service {
namespace {

TEST(AccountEvidence, TellsEachAccountOfAFarmOnceWithLinesThatSumToItsScore) {
    detect::test::Town town;
    town.people(1, 3000);
    town.relayed_farm(100'000, 60);
    town.play();
    std::map<std::uint64_t, std::uint32_t> reported;  // farm: accounts it was last told with
    std::map<std::uint64_t, std::set<model::AccountTag>> told;
    std::uint64_t left_out = 0;
    const std::vector<model::Farm> farms = town.engine->farms();
    const Why why = [&town](const model::AccountTag& account) { return town.engine->why(account); };
    for (const model::Event& event : town.engine->events()) {
        const auto evidence = account_evidence(farms, event, why, kAccountsToldMax, left_out);
        double strongest = 1e9;
        for (const model::Event& one : evidence) {
            EXPECT_EQ(one.kind, model::EventKind::account_evidence);
            EXPECT_EQ(one.farm.farm, event.farm.farm);
            EXPECT_TRUE(told[one.farm.farm].insert(one.account).second);
            EXPECT_EQ(town.engine->result(one.account).farm, one.farm.farm);
            EXPECT_FALSE(one.message.empty());
            EXPECT_LE(one.score_nats, strongest + 1e-6);
            strongest = one.score_nats;
            double sum = 0;
            for (const model::EvidenceLine& line : one.evidence) sum += line.nats;
            EXPECT_NEAR(sum, one.score_nats, 1e-6);
        }
        if (!evidence.empty()) reported[event.farm.farm] = event.farm.accounts_now;
        std::uint64_t rest = 0;
        EXPECT_EQ(account_evidence(farms, event, why, 3, rest).size(), std::min<std::size_t>(3, evidence.size()));
        EXPECT_EQ(rest, evidence.size() - std::min<std::size_t>(3, evidence.size()));
    }
    EXPECT_EQ(left_out, 0u);
    ASSERT_FALSE(reported.empty());
    for (const auto& [farm, accounts] : reported) EXPECT_EQ(told[farm].size(), accounts);
    std::size_t of_the_farm = 0;
    for (std::uint64_t a = 100'000; a < 100'060; ++a) {
        for (const auto& accounts : told) of_the_farm += accounts.second.count(detect::test::tag_of<model::AccountTag>(a));
    }
    EXPECT_GT(of_the_farm, 50u);
}

TEST(AccountEvidence, OtherEventsHaveNone) {
    detect::test::Town town;
    town.people(1, 10);
    town.play();
    model::Event event;
    std::uint64_t left_out = 0;
    const Why why = [&town](const model::AccountTag& account) { return town.engine->why(account); };
    for (const auto kind : {model::EventKind::signature_alert, model::EventKind::health, model::EventKind::farm}) {
        event.kind = kind;
        event.farm.farm = 17;
        event.farm.kind = kind == model::EventKind::farm ? model::FarmEvent::Kind::dormant : model::FarmEvent::Kind::found;
        EXPECT_TRUE(account_evidence(town.engine->farms(), event, why, 10, left_out).empty());
    }
}

}  // namespace
}  // namespace seine::service
