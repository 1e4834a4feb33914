// The join's rules one by one: whose record goes where, what waits, what is dropped and counted.
#include <gtest/gtest.h>

#include "tests/unit/account/scene.h"

namespace seine::account {
namespace {

TEST(Join, RecordAfterItsFlowIsJoinedAtOnce) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.drained(80);
    scene.say(Scene::said(9, 100, 4000, 70, 1), 80);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    const model::Sighting& sighting = scene.kept.sightings[0];
    EXPECT_TRUE(sighting.first);
    EXPECT_EQ(sighting.flow.id.counter, 1u);
    EXPECT_EQ(sighting.flow.ja4, 11u);
    EXPECT_EQ(sighting.flow.tuple.server_port, 443);
    ASSERT_EQ(sighting.uses.size(), 1u);
    EXPECT_EQ(sighting.uses[0].account.bytes, tag_of(9));
    // Without an organisation the account is its own.
    EXPECT_EQ(sighting.uses[0].org.bytes, tag_of(9));
    EXPECT_EQ(sighting.uses[0].requests, 1u);
    EXPECT_EQ(sighting.uses[0].t_first, after_ms(70));
    EXPECT_EQ(scene.counted().joined_at_once, 1u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, ToldAtTickMakesOneSightingOfRecordsThatComeTogether) {
    JoinConfig config = Scene::small();
    config.told_at_tick = true;
    Scene scene(config);
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.drained(80);
    for (std::uint32_t i = 1; i <= 3; ++i) scene.say(Scene::said(9, 100, 4000, 69 + i, i), 80);
    EXPECT_TRUE(scene.kept.sightings.empty());
    scene.tick(81);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_TRUE(scene.kept.sightings[0].first);
    EXPECT_EQ(scene.kept.sightings[0].uses[0].requests, 3u);
    // After its end too, and a connection that went meanwhile is not told as another.
    scene.close(Scene::flow(1, 100, 4000, 0), 200);
    scene.drained(200);
    scene.say(Scene::said(9, 100, 4000, 150, 4), 5000);
    scene.say(Scene::said(9, 100, 4000, 151, 5), 5000);
    scene.join->tell_news();
    scene.tick(60'000);
    scene.tick(60'001);
    EXPECT_EQ(scene.kept.requests(), 5u);
    EXPECT_EQ(scene.join->state().connections, 0u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, ADeclaredIntermediaryIsSaidWithEverySightingOfItsConnection) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.drained(80);
    auto said = Scene::said(9, 100, 4000, 70, 1);
    using Flags = contract::AccountFlags;
    said.record.flags = Flags::declared_intermediary | Flags::resumed;
    scene.say(said, 80);
    scene.close(Scene::flow(1, 100, 4000, 0), 200);
    scene.drained(200);
    ASSERT_EQ(scene.kept.sightings.size(), 2u);
    EXPECT_EQ(scene.kept.sightings[0].uses[0].flags, Flags::declared_intermediary | Flags::resumed);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].requests, 0u);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].flags, Flags::declared_intermediary);
}

TEST(Join, RecordBeforeItsFlowWaits) {
    Scene scene;
    scene.say(Scene::said(9, 100, 4000, 70, 1), 80);
    EXPECT_EQ(scene.join->state().pending, 1u);
    scene.open(Scene::flow(1, 100, 4000, 0), 900);
    scene.drained(900);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.counted().joined_waited, 1u);
    EXPECT_EQ(scene.join->state().pending, 0u);
}

TEST(Join, RecordWithoutFlowIsGivenUpAfterThirtySeconds) {
    Scene scene;
    scene.drained(1000);
    scene.say(Scene::said(9, 100, 4000, 70, 1), 80);
    scene.tick(30'079);
    EXPECT_EQ(scene.counted().records_unmatched, 0u);
    scene.tick(30'080);
    EXPECT_EQ(scene.counted().records_unmatched, 1u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, RecordIsNotJoinedBeforeTheFlowsOfItsTimeAreKnown) {
    // The old connection looks live; its end and the next one on the same port are still on the
    // way.
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.say(Scene::said(9, 100, 4000, 60'070, 1), 60'080);
    EXPECT_TRUE(scene.kept.sightings.empty());
    scene.close(Scene::flow(1, 100, 4000, 0), 20'000);
    scene.open(Scene::flow(2, 100, 4000, 60'000), 60'090);
    ASSERT_EQ(scene.kept.sightings.size(), 0u);
    scene.drained(60'095);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.kept.sightings[0].flow.id.counter, 2u);
}

TEST(Join, FlowOfAnotherServerIsNotTaken) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 50);
    scene.drained(80);
    SourceRecord said = Scene::said(9, 100, 4000, 70, 1);
    said.record.server_ip = v4(0x0a000002);
    said.record.server_port = 443;
    scene.say(said, 80);
    scene.tick(40'000);
    EXPECT_EQ(scene.counted().records_joined, 0u);
    EXPECT_EQ(scene.counted().records_unmatched, 1u);
}

TEST(Join, ReusedPortGoesByTime) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.close(Scene::flow(1, 100, 4000, 0), 5000);
    scene.open(Scene::flow(2, 100, 4000, 6500), 6510);
    scene.drained(8000);
    scene.say(Scene::said(1, 100, 4000, 4900, 1), 8000);
    scene.say(Scene::said(2, 100, 4000, 6600, 2), 8000);
    EXPECT_EQ(scene.kept.sightings.size(), 1u);
    scene.tick(11'000);  // the first came near an end: another might have followed
    ASSERT_EQ(scene.kept.sightings.size(), 2u);
    EXPECT_EQ(scene.kept.sightings[0].flow.id.counter, 2u);
    EXPECT_EQ(scene.kept.sightings[1].flow.id.counter, 1u);
    EXPECT_EQ(scene.counted().joined_late, 1u);
}

TEST(Join, AmbiguousIsDroppedNotGuessed) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.close(Scene::flow(1, 100, 4000, 0), 5000);
    scene.open(Scene::flow(2, 100, 4000, 5200), 5210);
    scene.drained(6000);
    scene.say(Scene::said(1, 100, 4000, 5100, 1), 6000);
    scene.tick(10'000);
    EXPECT_TRUE(scene.kept.sightings.empty());
    EXPECT_EQ(scene.counted().records_ambiguous, 1u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, ConnectionTimeTellsReusedPortsApart) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.close(Scene::flow(1, 100, 4000, 0), 5000);
    scene.open(Scene::flow(2, 100, 4000, 5200), 5210);
    scene.drained(6000);
    SourceRecord said = Scene::said(1, 100, 4000, 5100, 1);
    said.record.t_conn_us = static_cast<std::uint64_t>(after_ms(30).micros());
    scene.say(said, 6000);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.kept.sightings[0].flow.id.counter, 1u);
}

TEST(Join, DuplicatesAndGapsAreCounted) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.drained(100);
    for (const std::uint32_t seq : {1u, 2u, 2u, 1u, 200'000u, 3u}) {
        scene.say(Scene::said(1, 100, 4000, 50, seq), 100);
    }
    EXPECT_EQ(scene.counted().records_duplicate, 2u);
    EXPECT_EQ(scene.counted().records_too_old, 1u);
    EXPECT_EQ(scene.counted().records_joined, 3u);
    EXPECT_GT(scene.counted().sequence_gaps, 130'000u);
    // A replay from before the gateway's restart is still known.
    SourceRecord restarted = Scene::said(1, 100, 4000, 50, 1);
    restarted.record.boot_epoch = 4;
    scene.say(restarted, 100);
    scene.say(Scene::said(1, 100, 4000, 50, 1), 100);
    EXPECT_EQ(scene.counted().records_joined, 4u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, EightAccountsAreKeptAndTheNinthIsFlagged) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.drained(100);
    for (std::uint32_t account = 1; account <= 9; ++account) {
        SourceRecord said = Scene::said(account, 100, 4000, 50, account);
        said.record.stream_no = 2 * account - 1;
        scene.say(said, 100);
    }
    EXPECT_EQ(scene.kept.sightings.size(), 8u);
    EXPECT_EQ(scene.counted().accounts_overflow, 1u);
    scene.close(Scene::flow(1, 100, 4000, 0), 500);
    ASSERT_EQ(scene.kept.sightings.size(), 9u);
    EXPECT_EQ(scene.kept.sightings.back().uses.size(), 8u);
    EXPECT_TRUE(scene.kept.sightings.back().accounts_overflow);
    EXPECT_EQ(scene.kept.sightings.back().uses[0].account.bytes, tag_of(1));
}

TEST(Join, NewsIsToldOnceAndNeverAsTotals) {
    Scene scene;
    model::Flow flow = Scene::flow(1, 100, 4000, 0);
    flow.session_presented = {77};
    scene.open(flow, 10);
    scene.drained(100);
    scene.say(Scene::said(1, 100, 4000, 50, 1), 100);
    SourceRecord limited = Scene::said(1, 100, 4000, 60, 2);
    limited.record.limit_flag = 1;
    limited.record.status_class = 4;
    scene.say(limited, 100);
    scene.say(Scene::said(1, 100, 4000, 90, 3), 100);
    EXPECT_EQ(scene.kept.sightings.size(), 1u);
    model::Flow news;
    news.id = flow.id;
    news.tuple = flow.tuple;
    news.t_open = flow.t_open;
    news.t_close = after_ms(60'000);
    news.exchanges = {{50, 700, 9000}, {60, 700, 100}};
    scene.update(news, 60'000);
    ASSERT_EQ(scene.kept.sightings.size(), 2u);
    EXPECT_FALSE(scene.kept.sightings[1].first);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].requests, 2u);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].limited, 1u);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].errors, 1u);
    EXPECT_EQ(scene.kept.sightings[1].uses[0].t_last, after_ms(90));
    EXPECT_EQ(scene.kept.sightings[1].flow.exchanges.size(), 2u);
    news.exchanges = {{61'000, 10, 20}};
    scene.close(news, 70'000);
    ASSERT_EQ(scene.kept.sightings.size(), 3u);
    EXPECT_EQ(scene.kept.sightings[2].flow.exchanges.size(), 1u);
    EXPECT_EQ(scene.kept.sightings[2].uses[0].requests, 0u);
    EXPECT_TRUE(scene.kept.sightings[2].flow.closed);
    EXPECT_EQ(scene.kept.sightings[2].flow.session_presented, std::vector<std::uint64_t>{77});
    EXPECT_EQ(scene.kept.requests(), 3u);
}

TEST(Join, ExchangesBeforeTheAccountAreKeptForIt) {
    Scene scene;
    model::Flow flow = Scene::flow(1, 100, 4000, 0);
    scene.open(flow, 10);
    flow.exchanges = {{40, 700, 9000}};
    scene.close(flow, 300);
    scene.say(Scene::said(1, 100, 4000, 50, 1), 5000);
    scene.drained(5000);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.kept.sightings[0].flow.exchanges.size(), 1u);
    EXPECT_TRUE(scene.kept.sightings[0].flow.closed);
}

TEST(Join, ClockAnHourOffIsLearned) {
    Scene scene;
    constexpr std::int64_t kHour = 3'600'000;
    for (std::uint32_t i = 0; i < 10; ++i) {
        const std::int64_t at = i * 200;
        scene.open(Scene::flow(i, 100 + i, 4000, at), at + 50);
        scene.drained(at + 100);
        scene.say(Scene::said(i, 100 + i, 4000, at + 80 - kHour, i), at + 100);
    }
    EXPECT_EQ(scene.counted().records_joined, 10u);
    EXPECT_EQ(scene.counted().clock_jumps, 1u);
    std::int64_t offset = 0;
    scene.join->gateways([&offset](const GatewayState& g) { offset = g.offset_ns; });
    EXPECT_NEAR(static_cast<double>(offset), -3.6e12, 2e8);
    // Times are told by the dataplane's clock.
    EXPECT_LT(std::abs(scene.kept.sightings.back().uses[0].t_first - after_ms(1880)),
              200 * kMillisecond);
}

TEST(Join, UniqueIdFindsTheFlowBehindABalancer) {
    Scene scene;
    const model::Flow flow = Scene::flow(1, 100, 4000, 0);
    scene.join->flow({FlowEvent::Kind::open, &flow, {}, 0, model::value_id("id-1")}, after_ms(10));
    scene.drained(100);
    SourceRecord said = Scene::said(1, 7, 9, 50, 1);
    said.unique_id = model::value_id("id-1");
    said.mode = model::SourceMode::pp2;
    scene.say(said, 100);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.counted().joined_by_id, 1u);
    // The balancer's own address and port, as a gateway may log them.
    const model::Flow other = Scene::flow(2, 101, 4000, 0);
    scene.join->flow({FlowEvent::Kind::open, &other, v4(8), 555, 0}, after_ms(110));
    scene.drained(200);
    scene.say(Scene::said(2, 8, 555, 150, 2), 200);
    ASSERT_EQ(scene.kept.sightings.size(), 2u);
    EXPECT_EQ(scene.kept.sightings[1].flow.id.counter, 2u);
}

TEST(Join, SessionHintJoinsWhatAddressesCannot) {
    Scene scene;
    model::Flow flow = Scene::flow(1, 100, 4000, 0);
    flow.session_presented = {0xabcd};
    scene.open(flow, 10);
    scene.drained(100);
    SourceRecord said = Scene::said(1, 7, 9, 50, 1);
    said.record.session_hint = 0xabcd;
    scene.say(said, 100);
    EXPECT_TRUE(scene.kept.sightings.empty());
    scene.tick(3200);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.counted().joined_by_session, 1u);
    // Shared by two connections it says nothing.
    model::Flow second = Scene::flow(2, 101, 4001, 3000);
    second.session_presented = {0xabcd};
    scene.open(second, 3300);
    said.record.seq = 2;
    said.record.t_req_us = static_cast<std::uint64_t>(after_ms(3100).micros());
    scene.say(said, 3300);
    scene.tick(7000);
    EXPECT_EQ(scene.counted().records_ambiguous, 1u);
}

TEST(Join, QuicIsFoundAfterItMoved) {
    Scene scene;
    model::Flow flow = Scene::flow(1, 100, 4000, 0);
    flow.tuple.proto = contract::Proto::udp;
    scene.open(flow, 10);
    scene.drained(5000);
    SourceRecord said = Scene::said(1, 100, 4999, 4000, 1);
    said.record.proto = 17;
    // A rebound port: the address alone, once nothing better came.
    scene.say(said, 5000);
    scene.tick(8100);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.counted().joined_by_address, 1u);
    // The dataplane followed it to another address.
    model::Flow moved = flow;
    moved.tuple.client = v4(300);
    moved.tuple.client_port = 77;
    scene.update(moved, 9000);
    scene.drained(9100);
    SourceRecord later = Scene::said(2, 300, 77, 9050, 2);
    later.record.proto = 17;
    scene.say(later, 9100);
    EXPECT_EQ(scene.kept.sightings.size(), 2u);
    EXPECT_EQ(scene.counted().joined_by_address, 1u);
}

TEST(Join, TwoDataplanesThatSawOneHalfEachAreOneConnection) {
    Scene scene;
    model::Flow client_half = Scene::flow(1, 100, 4000, 0);
    client_half.seen = contract::Seen::client;
    model::Flow server_half = Scene::flow(55, 100, 4000, 20);
    server_half.id = {2, 9, 55};
    server_half.seen = contract::Seen::server;
    server_half.ja4 = 0;
    server_half.session_issued = {5};
    scene.open(client_half, 50);
    scene.open(server_half, 60);
    scene.drained(100);
    scene.join->flows_complete(2, after_ms(100), after_ms(100));
    scene.say(Scene::said(1, 100, 4000, 70, 1), 110);
    ASSERT_EQ(scene.kept.sightings.size(), 1u);
    EXPECT_EQ(scene.kept.sightings[0].flow.seen, contract::Seen::both);
    EXPECT_EQ(scene.kept.sightings[0].flow.session_issued, std::vector<std::uint64_t>{5});
    EXPECT_EQ(scene.kept.sightings[0].flow.ja4, 11u);
    EXPECT_EQ(scene.counted().flows_two_dataplanes, 1u);
    EXPECT_EQ(scene.join->state().connections, 1u);
    scene.close(server_half, 500);
    EXPECT_EQ(scene.counted().flows_closed, 0u);
    scene.close(client_half, 510);
    EXPECT_EQ(scene.counted().flows_closed, 1u);
    EXPECT_TRUE(scene.kept.sightings.back().flow.closed);
}

TEST(Join, ADataplaneThatIsBehindHoldsUpNoOther) {
    Scene scene;
    // The second dataplane has come to `second`, and is heard of.
    const auto round = [&scene](std::uint32_t i, std::int64_t at, std::int64_t second) {
        scene.open(Scene::flow(i, i, 1000, at), at);
        scene.join->flows_complete(2, after_ms(second), after_ms(at));
        scene.drained(at + 20);
        scene.say(Scene::said(i, i, 1000, at + 10, i), at + 20);
    };
    for (std::uint32_t i = 1; i <= 64; ++i) round(i, 100 * i, 100 * i + 50);
    EXPECT_EQ(scene.counted().joined_at_once, 64u);
    for (std::uint32_t i = 65; i <= 100; ++i) round(i, 100 * i + 10'000, 6450);
    EXPECT_EQ(scene.counted().joined_at_once, 100u) << "a gateway of the first does not wait for the second";
    // One of whom nothing is known waits for both, and nobody waits behind it.
    SourceRecord other = Scene::said(500, 500, 1000, 18'000, 1);
    other.record.gateway_id = 6;
    scene.say(other, 20'100);
    scene.say(Scene::said(200, 200, 1000, 20'110, 200), 20'105);
    scene.open(Scene::flow(200, 200, 1000, 20'100), 20'120);
    scene.drained(20'120);
    EXPECT_EQ(scene.counted().records_joined, 101u);
    EXPECT_EQ(scene.join->waiting_of(5), 0u);
    EXPECT_EQ(scene.join->waiting_of(6), 1u);
    EXPECT_EQ(scene.join->waiting_of(7), 0u);
    // Its flow comes late, by the second.
    model::Flow late = Scene::flow(500, 500, 1000, 17'900);
    late.id.dataplane = 2;
    scene.open(late, 21'000);
    scene.tick(23'200);
    EXPECT_EQ(scene.counted().records_joined, 102u);
    EXPECT_EQ(scene.join->waiting_of(6), 0u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, EventsOfAccountsAreTold) {
    Scene scene;
    SourceRecord said = Scene::said(1, 0, 0, 50, 1);
    said.record.flags = contract::AccountFlags::signup;
    said.record.first_seen_day = 19'000;
    scene.say(said, 100);
    said = Scene::said(2, 0, 0, 50, 2);
    said.record.type = contract::AccountType::rekey;
    said.record.org_tag = tag_of(1);
    scene.say(said, 100);
    said = Scene::said(2, 0, 0, 50, 3);
    said.record.type = contract::AccountType::closed;
    scene.say(said, 100);
    ASSERT_EQ(scene.kept.events.size(), 3u);
    EXPECT_EQ(scene.kept.events[0].kind, model::AccountEvent::Kind::signup);
    EXPECT_EQ(scene.kept.events[0].first_seen_day, 19'000u);
    EXPECT_EQ(scene.kept.events[1].kind, model::AccountEvent::Kind::rekey);
    EXPECT_EQ(scene.kept.events[1].previous.bytes, tag_of(1));
    EXPECT_FALSE(scene.kept.events[1].org.known());
    EXPECT_EQ(scene.kept.events[2].kind, model::AccountEvent::Kind::closed);
    EXPECT_EQ(scene.counted().records_told, 3u);
}

TEST(Join, FullTablesPushOutAndCount) {
    JoinConfig config = Scene::small();
    config.connections_max = 100;
    config.pending_bytes_max = 1;  // the least there is: 64 records
    Scene scene(config);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        model::Flow flow = Scene::flow(i, 100 + i, 4000, i);
        flow.session_presented = {1000 + i};
        flow.exchanges.assign(50, {1, 2, 3});
        scene.open(flow, i);
        scene.say(Scene::said(i, 5'000'000 + i, 4000, i, i), i);
    }
    EXPECT_EQ(scene.join->state().connections, 100u);
    EXPECT_EQ(scene.counted().flows_evicted, 900u);
    EXPECT_EQ(scene.join->state().pending, 64u);
    EXPECT_EQ(scene.counted().records_evicted, 936u);
    EXPECT_GE(scene.join->state().exchanges_dropped, 18u * 1000);
    scene.join->finish();
    EXPECT_EQ(scene.join->state().connections, 0u);
    EXPECT_EQ(scene.counted().records_unmatched, 64u);
    EXPECT_TRUE(scene.adds_up());
}

TEST(Join, SilentConnectionsAreLetGo) {
    Scene scene;
    scene.open(Scene::flow(1, 100, 4000, 0), 10);
    scene.open(Scene::flow(2, 101, 4000, 0), 10);
    scene.close(Scene::flow(2, 101, 4000, 0), 100);
    scene.tick(15'200);
    EXPECT_EQ(scene.join->state().connections, 1u);
    scene.tick(1'200'100);
    EXPECT_EQ(scene.join->state().connections, 0u);
    EXPECT_EQ(scene.counted().flows_idle, 1u);
    EXPECT_EQ(scene.counted().flows_anonymous, 2u);
}

TEST(Join, AnonymousRecordsAreRefused) {
    Scene scene;
    SourceRecord said = Scene::said(1, 100, 4000, 50, 1);
    said.record.account_tag = {};
    scene.say(said, 100);
    EXPECT_EQ(scene.counted().records_refused, 1u);
}

}  // namespace
}  // namespace seine::account
