// What is told again, what is asked for in time, and the order of ends: none of it changes an answer.
#include <gtest/gtest.h>

#include "control/account/number_queue.h"
#include "tests/unit/account/scene.h"

namespace seine::account {
namespace {

JoinConfig few(std::uint32_t connections) {
    JoinConfig config = Scene::small();
    config.connections_max = connections;
    config.told_at_tick = true;
    return config;
}

TEST(NumberQueue, GivesBackInOrderOverItsEnd) {
    auto made = NumberQueue::make(64, "test");
    ASSERT_TRUE(made.has_value());
    NumberQueue& queue = *made;
    std::uint32_t next = 1;
    std::uint32_t expected = 1;
    for (int round = 0; round < 10; ++round) {
        while (queue.size() < 60) queue.push(next++);
        EXPECT_EQ(queue.at(0), expected);
        EXPECT_EQ(queue.at(59), expected + 59);
        EXPECT_EQ(queue.at(60), 0u);
        for (int i = 0; i < 37; ++i, ++expected) {
            EXPECT_EQ(queue.at(0), expected);
            queue.pop();
        }
    }
    queue.put(1, 7);
    queue.keep(2);
    EXPECT_EQ(queue.size(), 2u);
    EXPECT_EQ(queue.at(1), 7u);
    EXPECT_EQ(queue.at(2), 0u);
}

TEST(JoinNews, AreToldOfThoseThatHaveThem) {
    Scene scene(few(16));
    for (std::uint16_t i = 1; i <= 8; ++i) {
        scene.open(Scene::flow(i, 100u + i, 4000, 0), 50);
        scene.drained(60);
        scene.say(Scene::said(i, 100u + i, 4000, 60, i), 60);
    }
    scene.tick(61);
    ASSERT_EQ(scene.kept.sightings.size(), 8u);
    scene.kept.sightings.clear();
    scene.drained(80);
    // A second request is told with the next event of its flow, or when all news are asked for.
    scene.say(Scene::said(5, 105, 4000, 80, 20), 80);
    scene.say(Scene::said(3, 103, 4000, 80, 21), 80);
    scene.say(Scene::said(3, 103, 4000, 80, 22), 80);
    scene.tick(81);
    EXPECT_TRUE(scene.kept.sightings.empty());
    scene.join->tell_news();
    ASSERT_EQ(scene.kept.sightings.size(), 2u);
    // In the order of their first requests, by which they were listed.
    EXPECT_EQ(scene.kept.sightings[0].flow.id.counter, 3u);
    EXPECT_EQ(scene.kept.sightings[1].flow.id.counter, 5u);
    EXPECT_EQ(scene.kept.requests(), 3u);
    scene.join->tell_news();
    EXPECT_EQ(scene.kept.sightings.size(), 2u);
}

// The list of those with news is bounded, though each place in the table is used many times over.
TEST(JoinNews, OutliveAThousandUsesOfEachPlace) {
    Scene scene(few(4));
    std::uint32_t sequence = 0;
    std::int64_t at = 0;
    for (std::uint32_t i = 1; i <= 4000; ++i) {
        at = 10 * i;
        const model::Flow flow = Scene::flow(i, 100 + i, 4000, at);
        scene.open(flow, at);
        scene.drained(at + 1);
        for (int said = 0; said < 2; ++said) {
            scene.say(Scene::said(i, 100 + i, 4000, at, ++sequence), at + 1);
            scene.tick(at + 1);
        }
        if (i % 3 == 0) scene.close(flow, at + 5);
    }
    EXPECT_GT(scene.counted().flows_evicted, 3900u);
    scene.join->tell_news();
    scene.tick(at + 60'000);
    EXPECT_EQ(scene.kept.requests(), 8000u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(JoinNews, AreThereAfterARestart) {
    JoinConfig config = few(16);
    Scene scene(config);
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.drained(60);
    scene.say(Scene::said(9, 100, 4000, 60, 1), 60);
    scene.tick(61);
    scene.say(Scene::said(9, 100, 4000, 60, 2), 61);
    std::string state;
    scene.join->save(state);
    Scene again(config);
    ASSERT_TRUE(again.join->restore(state));
    again.join->tell_news();
    EXPECT_EQ(again.kept.requests(), 1u);
    again.join->tell_news();
    EXPECT_EQ(again.kept.sightings.size(), 1u);
}

// Two joins have the same calls; one is told of them before, of more than it can heed and of some
// that never come.
TEST(JoinAhead, ChangesNothing) {
    Scene plain(few(300));
    Scene told(few(300));
    std::uint32_t sequence = 0;
    std::uint64_t number = 0;
    for (std::int64_t round = 0; round < 60; ++round) {
        const std::int64_t at = 500 * round;
        std::vector<model::Flow> flows;
        std::vector<SourceRecord> records;
        for (std::uint32_t i = 0; i < 40; ++i) {
            ++number;
            flows.push_back(Scene::flow(number, 100 + i % 7, static_cast<std::uint16_t>(4000 + number), at));
            records.push_back(Scene::said(i, 100 + i % 7, static_cast<std::uint16_t>(4000 + number), at, ++sequence));
        }
        std::vector<FlowEvent> events;
        for (const model::Flow& flow : flows) events.push_back({FlowEvent::Kind::open, &flow, {}, 0, 0});
        for (Scene* scene : {&plain, &told}) {
            if (scene == &told) {
                scene->join->expect(records);
                scene->join->expect(events);
                scene->join->expect(std::span<const FlowEvent>{});
            }
            for (const SourceRecord& record : records) scene->say(record, at);
            for (const FlowEvent& event : events) scene->join->flow(event, after_ms(at));
            scene->drained(at + 1);
            scene->tick(at + 1);
            for (std::size_t i = 0; i < flows.size(); i += 2) scene->close(flows[i], at + 300);
            scene->tick(at + 300);
        }
    }
    ASSERT_EQ(plain.kept.sightings.size(), told.kept.sightings.size());
    EXPECT_EQ(plain.kept.requests(), told.kept.requests());
    EXPECT_GT(plain.kept.requests(), 2000u);
    EXPECT_EQ(plain.counted().flows_evicted, told.counted().flows_evicted);
    for (std::size_t i = 0; i < plain.kept.sightings.size(); ++i)
        ASSERT_EQ(plain.kept.sightings[i].flow.id, told.kept.sightings[i].flow.id);
}

}  // namespace
}  // namespace seine::account
