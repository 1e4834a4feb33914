// A join that is put away and taken up again goes on as if nothing had been.
#include <gtest/gtest.h>

#include "tests/unit/account/scene.h"

namespace seine::account {
namespace {

TEST(JoinSaved, GoesOnAsIfNothingHadBeen) {
    std::string state;
    JoinConfig config = Scene::small();
    config.hash_seed = 42;
    Scene before(config);
    model::Flow flow = Scene::flow(1, 100, 4000, 0);
    flow.session_presented = {77};
    flow.exchanges = {{1, 2, 3}};
    before.open(flow, 10);
    before.open(Scene::flow(2, 101, 4000, 0), 10);
    before.close(Scene::flow(2, 101, 4000, 0), 90);
    before.drained(100);
    before.say(Scene::said(1, 100, 4000, 50, 1), 100);
    before.say(Scene::said(1, 100, 4000, 60, 2), 100);  // not told yet
    before.say(Scene::said(5, 101, 4000, 80, 3), 100);  // near an end: waits
    before.say(Scene::said(7, 200, 4000, 95, 4), 100);  // its flow comes later
    ASSERT_EQ(before.join->state().pending, 2u);
    before.join->save(state);

    Scene after(config);
    ASSERT_TRUE(after.join->restore(state));
    EXPECT_EQ(after.join->state().connections, 2u);
    EXPECT_EQ(after.join->state().pending, 2u);
    EXPECT_TRUE(after.adds_up());
    after.say(Scene::said(1, 100, 4000, 60, 2), 200);  // a repeat from before
    EXPECT_EQ(after.counted().records_duplicate, 1u);
    after.open(Scene::flow(3, 200, 4000, 70), 300);
    after.drained(300);
    after.tick(3200);
    EXPECT_EQ(after.join->state().pending, 0u);
    after.close(Scene::flow(1, 100, 4000, 0), 4000);
    ASSERT_EQ(after.kept.sightings.size(), 3u);
    EXPECT_EQ(after.kept.sightings[0].flow.id.counter, 3u);
    EXPECT_EQ(after.kept.sightings[1].flow.id.counter, 2u);
    EXPECT_TRUE(after.kept.sightings[1].flow.closed);
    const model::Sighting& last = after.kept.sightings[2];
    EXPECT_EQ(last.flow.id.counter, 1u);
    EXPECT_FALSE(last.first);
    EXPECT_EQ(last.flow.session_presented, std::vector<std::uint64_t>{77});
    EXPECT_EQ(last.uses.at(0).requests, 1u);
    EXPECT_EQ(last.flow.ja4, 11u);
    EXPECT_TRUE(after.adds_up());
}

TEST(JoinSaved, WithoutConnectionsWhatWaitsFindsThemByTheirNextRecord) {
    std::string state;
    JoinConfig config = Scene::small();
    Scene before(config);
    before.open(Scene::flow(1, 100, 4000, 0), 10);
    before.drained(100);
    before.say(Scene::said(1, 100, 4000, 50, 1), 100);
    before.say(Scene::said(7, 200, 4000, 95, 2), 100);  // its flow comes later
    before.join->save(state, false);

    Scene after(config);
    ASSERT_TRUE(after.join->restore(state));
    EXPECT_EQ(after.join->state().connections, 0u);
    EXPECT_EQ(after.join->state().pending, 1u);
    EXPECT_EQ(after.counted().records, 2u);
    after.open(Scene::flow(2, 200, 4000, 70), 300);
    after.say(Scene::said(1, 100, 4000, 290, 3), 310);  // its connection is not known any more
    after.close(Scene::flow(1, 100, 4000, 0), 900);
    after.drained(900);
    after.tick(4000);
    EXPECT_EQ(after.join->state().pending, 0u);
    EXPECT_EQ(after.counted().records_joined, 3u);
    EXPECT_TRUE(after.adds_up());
}

TEST(JoinSaved, WhatIsNoStateIsRefused) {
    std::string state;
    JoinConfig config = Scene::small();
    Scene before(config);
    before.open(Scene::flow(1, 100, 4000, 0), 10);
    before.drained(100);
    before.say(Scene::said(1, 100, 4000, 50, 1), 100);
    before.say(Scene::said(7, 200, 4000, 95, 4), 100);
    before.join->save(state);
    for (std::size_t cut = 0; cut < state.size(); cut += 7) {
        Scene after(config);
        // Cut between two records that wait it is a sound, shorter state.
        static_cast<void>(after.join->restore(std::string_view(state).substr(0, cut)));
    }
    Scene whole(config);
    EXPECT_TRUE(whole.join->restore(state));
    config.hash_seed = 9;
    Scene other(config);
    EXPECT_FALSE(other.join->restore(state));
    EXPECT_FALSE(other.join->restore(""));
}

}  // namespace
}  // namespace seine::account
