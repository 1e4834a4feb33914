// A small world with known truth: records shuffled, doubled, lost; ports reused; clocks off.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/account/scene.h"

namespace seine::account {
namespace {

struct Step {
    std::int64_t at_ms = 0;
    int what = 0;  // 0 open, 1 close, 2 record
    model::Flow flow;
    SourceRecord record;
};

struct Plan {
    std::vector<Step> steps;
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::map<std::uint32_t, std::uint64_t> flow_of_account;
};

constexpr std::int64_t kOffsetsMs[] = {0, -3'600'000, 90'000};

// `trouble`: shuffled within 5 s, 1 % doubled, 1 % lost.
Plan plan_world(bool trouble, unsigned flows, unsigned seed) {
    std::mt19937_64 random(seed);
    const auto below = [&random](std::int64_t bound) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
    };
    Plan plan;
    std::map<std::pair<std::uint32_t, std::uint16_t>, std::int64_t> free_at;
    std::uint32_t seq[3] = {100, 200, 300};
    std::uint32_t account = 0;
    std::int64_t now = 0;
    for (unsigned i = 0; i < flows; ++i) {
        now += below(20);
        const auto client = static_cast<std::uint32_t>(100 + below(60));
        const auto port = static_cast<std::uint16_t>(4000 + below(40));
        std::int64_t& free = free_at[{client, port}];
        if (now < free) continue;
        const std::int64_t life = 100 + below(below(4) == 0 ? 60'000 : 3000);
        free = now + life + below(4000);
        Step open{now + 30 + below(900), 0, Scene::flow(i, client, port, now), {}};
        open.at_ms = std::min(open.at_ms, now + life);
        open.flow.t_close = after_ms(open.at_ms);
        Step close{now + life, 1, open.flow, {}};
        plan.steps.push_back(open);
        plan.steps.push_back(close);
        const auto gateway = static_cast<std::uint32_t>(client % 3);
        const std::int64_t handshake = 10 + below(80);
        for (std::int64_t n = 1 + below(4), at = now + handshake; n > 0 && at < now + life;
             --n, at += below(2000)) {
            if (below(3) != 0 || plan.flow_of_account[account] != i) {
                plan.flow_of_account[++account] = i;
            }
            Step said{at + 5,
                      2,
                      {},
                      Scene::said(account, client, port, at + kOffsetsMs[gateway], ++seq[gateway])};
            said.record.record.gateway_id = gateway;
            ++plan.sent;
            if (trouble && below(100) == 0) {
                ++plan.lost;
                continue;
            }
            if (trouble) said.at_ms += below(5000);
            plan.steps.push_back(said);
            if (trouble && below(100) == 0) {
                ++plan.doubled;
                said.at_ms += below(3000);
                plan.steps.push_back(said);
            }
        }
    }
    std::stable_sort(plan.steps.begin(), plan.steps.end(),
                     [](const Step& a, const Step& b) { return a.at_ms < b.at_ms; });
    return plan;
}

struct Outcome {
    std::uint64_t wrong = 0;
    std::uint64_t requests = 0;
    std::uint64_t sightings = 0;
    JoinCounters counters;
};

Outcome run(const Plan& plan) {
    JoinConfig config = Scene::small();
    config.connections_max = 20'000;
    Scene scene(config);
    std::int64_t ticked = 0;
    for (const Step& step : plan.steps) {
        if (step.what == 0) scene.open(step.flow, step.at_ms);
        if (step.what == 1) scene.close(step.flow, step.at_ms);
        if (step.what == 2) scene.say(step.record, step.at_ms);
        while (ticked < step.at_ms) {
            ticked += 250;
            scene.tick(ticked);
        }
    }
    // A gap is known once the window has passed over it.
    for (std::uint32_t gateway = 0; gateway < 3; ++gateway) {
        SourceRecord last = Scene::said(1, 1, 1, ticked, 500'000);
        last.record.gateway_id = gateway;
        last.record.type = contract::AccountType::closed;
        scene.say(last, ticked);
    }
    scene.join->finish();
    EXPECT_TRUE(scene.adds_up());
    Outcome outcome;
    outcome.counters = scene.counted();
    outcome.sightings = scene.kept.sightings.size();
    for (const model::Sighting& sighting : scene.kept.sightings) {
        for (const model::AccountUse& use : sighting.uses) {
            const std::uint32_t account = load_be32(use.account.bytes.data() + 4);
            outcome.requests += use.requests;
            if (plan.flow_of_account.at(account) != sighting.flow.id.counter) ++outcome.wrong;
        }
    }
    return outcome;
}

TEST(JoinWorld, EveryRecordFindsItsFlow) {
    const Plan plan = plan_world(false, 20'000, 1);
    ASSERT_GT(plan.sent, 10'000u);
    const Outcome outcome = run(plan);
    EXPECT_EQ(outcome.wrong, 0u);
    EXPECT_EQ(outcome.counters.records_joined + outcome.counters.records_ambiguous, plan.sent);
    EXPECT_GT(static_cast<double>(outcome.counters.records_joined),
              0.995 * static_cast<double>(plan.sent));
    EXPECT_EQ(outcome.requests, outcome.counters.records_joined);
    EXPECT_EQ(outcome.counters.clock_jumps, 2u);
}

TEST(JoinWorld, ShuffledDoubledAndLostRecordsChangeNothingButCounters) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        const Plan plan = plan_world(true, 20'000, seed);
        const Outcome outcome = run(plan);
        const JoinCounters& c = outcome.counters;
        EXPECT_EQ(outcome.wrong, 0u) << seed;
        EXPECT_EQ(c.records_duplicate, plan.doubled) << seed;
        EXPECT_EQ(c.records_unmatched + c.records_off_time, 0u) << seed;
        EXPECT_EQ(c.records_joined + c.records_ambiguous, plan.sent - plan.lost) << seed;
        EXPECT_GT(static_cast<double>(c.records_joined),
                  0.995 * static_cast<double>(plan.sent - plan.lost))
            << seed;
        EXPECT_EQ(outcome.requests, c.records_joined) << seed;
        // Numbers stepped over by the three records at the end are no losses.
        const std::uint64_t stepped = c.sequence_gaps - plan.lost;
        EXPECT_GT(c.sequence_gaps, plan.lost);
        EXPECT_LT(stepped, 3u * 500'000) << seed;
    }
}

TEST(JoinWorld, SameCallsGiveTheSameOutcome) {
    const Plan plan = plan_world(true, 5000, 9);
    const Outcome first = run(plan);
    const Outcome again = run(plan);
    EXPECT_EQ(first.sightings, again.sightings);
    EXPECT_EQ(first.counters.joined_at_once, again.counters.joined_at_once);
    EXPECT_EQ(first.counters.records_joined, again.counters.records_joined);
}

}  // namespace
}  // namespace seine::account
