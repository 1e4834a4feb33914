// Bounds that a hostile network meets: floods, full tables, empty pools, a reader that sleeps.
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;
using synth::kAck;
using synth::kPsh;
using synth::kSyn;

// The n-th source of a flood.
Bytes flood_packet(std::uint32_t n, std::uint8_t flags, const Bytes& payload = {}) {
    const std::string source = "10." + std::to_string(n >> 16 & 0xff) + "." +
                               std::to_string(n >> 8 & 0xff) + "." + std::to_string(n & 0xff);
    synth::TcpFields fields;
    fields.source_port = static_cast<std::uint16_t>(20000 + (n >> 24));
    fields.seq = n * 2654435761u;
    fields.flags = flags;
    synth::Ipv4Options ip;
    ip.source = source;
    return synth::eth(synth::ipv4(ip, synth::tcp(fields, payload))).bytes;
}

void expect_honest(Line& line, Talk& talk, const Bytes& hello) {
    talk.client_piece(hello, 40, hello.size());  // needs a buffer
    talk.client_piece(hello, 0, 40);
    line.pass(2 * kSecond);
    EXPECT_EQ(line.all(Field::ja4), std::vector<std::string>{plain_ja4()});
}

TEST(Limits, ASynFloodDoesNotStopAnHonestHandshake) {
    Line line;
    Talk talk{line};
    std::uint32_t n = 0;
    const auto flood = [&](std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            line.packet(flood_packet(n++, kSyn));
            line.wait(-kMillisecond + kMicrosecond);
        }
    };
    flood(50000);
    talk.syn();
    flood(100);
    talk.syn_ack();
    flood(100);
    talk.ack();
    flood(50000);
    expect_honest(line, talk, client_hello_record());
    EXPECT_EQ(line.all(Field::syn).size(), 1u) << "the handshake was forgotten in the flood";
    EXPECT_EQ(line.count(Counter::cold_exhausted), 0u);
    EXPECT_TRUE(line.of(Kind::close).empty()) << "half-open flows write no record";
    EXPECT_GT(line.count(Counter::flows_closed_half_open), 50000u);
}

TEST(Limits, DatagramsThatNobodyRecognisesDoNotKeepTheStateOfHandshakes) {
    // A hundred times as many flows as there is state for, each of one datagram, as DNS is.
    Line line;
    for (std::uint32_t n = 0; n < 25600; ++n) {
        const std::string source = "10.0." + std::to_string(n >> 8 & 0xff) + "." + std::to_string(n & 0xff);
        synth::Ipv4Options ip;
        ip.source = source;
        const auto question = synth::udp({.source_port = 40000, .target_port = 53}, synth::bytes_of("a question"));
        line.packet(synth::eth(synth::ipv4(ip, question)).bytes);
        line.wait(20 * kMillisecond);
    }
    EXPECT_EQ(line.count(Counter::cold_settled_early), 0u);
    EXPECT_EQ(line.count(Counter::cold_exhausted), 0u);
}

TEST(Limits, AFloodOfPlainRequestsDoesNotStopAnHonestHandshake) {
    // Each is worth a record, so none is half-open, and clear text keeps its state between requests.
    Line line;
    Talk talk{line};
    for (std::uint32_t n = 0; n < 2000; ++n)
        line.packet(flood_packet(n, kAck | kPsh, synth::bytes_of("GET / HTTP/1.1\r\n\r\n")));
    talk.open();
    expect_honest(line, talk, client_hello_record());
    EXPECT_EQ(line.count(Counter::cold_exhausted), 0u);
    EXPECT_GT(line.count(Counter::cold_settled_early), 0u);
    EXPECT_TRUE(line.says(Field::incomplete, "state_exhausted"));
    EXPECT_EQ(line.of(Kind::request).size(), 2000u);
}

TEST(Limits, AFloodOfGapsDoesNotTakeAllBuffers) {
    InspectorConfig config = small_config();
    config.limits.cold_flows_max = 1024;
    config.limits.stream_pool_bytes = std::size_t{1} << 20;
    Line line(config);
    // A record of 20000 bytes of which the middle comes: every flow waits with 16 KiB.
    const Bytes hello = client_hello_record("api.example", 16000);
    Talk talk{line};
    talk.open();
    for (std::uint32_t n = 0; n < 500; ++n) {
        line.packet(flood_packet(n, kAck | kPsh, Bytes(hello.begin(), hello.begin() + 8000)));
        line.wait(-kMillisecond + kMicrosecond);
    }
    const Bytes honest = client_hello_record();
    expect_honest(line, talk, honest);
    EXPECT_EQ(line.count(Counter::stream_pool_exhausted), 0u);
    EXPECT_GT(line.count(Counter::flows_closed_half_open), 0u);
}

TEST(Limits, ShortBuffersNeverEndAHandshakeThatHoldsNone) {
    InspectorConfig config = small_config();
    config.limits.stream_pool_bytes = 1;
    Line line(config);
    const Bytes large = client_hello_record("api.example", 12000);
    for (std::uint16_t i = 0; i < 100; ++i) {
        Talk talk{line, static_cast<std::uint16_t>(20000 + i)};
        talk.open();
        talk.client_piece(large, 6000, large.size());
    }
    EXPECT_EQ(line.count(Counter::flows_new), 100u);
}

TEST(Limits, HalfOpenFlowsWriteNoRecordUnlessAllAreWanted) {
    for (const bool all : {false, true}) {
        InspectorConfig config = small_config();
        config.records_all = all;
        Line line(config);
        Talk talk{line};
        talk.syn();
        talk.syn_ack();
        line.pass(12 * kSecond);
        EXPECT_EQ(line.flows(), 0u);
        EXPECT_EQ(line.of(Kind::close).size(), all ? 1u : 0u);
        EXPECT_EQ(line.all(Field::syn).size(), all ? 1u : 0u);
        EXPECT_EQ(line.count(Counter::flows_closed_half_open), 1u);
    }
}

TEST(Limits, AFullTableEvictsHalfOpenFlowsFirst) {
    InspectorConfig config = small_config();
    config.limits.flows_max = 64;
    config.limits.cold_flows_max = 64;
    Line line(config);
    std::vector<Talk> talks;
    for (std::uint16_t i = 0; i < 32; ++i) {
        talks.push_back({line, static_cast<std::uint16_t>(30000 + i)});
        talks.back().open();
        talks.back().client(client_hello_record());
    }
    for (std::uint32_t n = 0; n < 1000; ++n) line.packet(flood_packet(n, kSyn));
    EXPECT_EQ(line.count(Counter::flows_evicted) + line.count(Counter::flows_closed_half_open), 1000u - 32u);
    for (Talk& talk : talks) talk.server(server_hello_record());
    line.finish();
    EXPECT_EQ(line.count(Counter::tls_server_hellos), 32u);
    EXPECT_EQ(line.all(Field::ja4).size(), 32u);
    EXPECT_EQ(line.of(Kind::close).size(), 32u);
}

TEST(Limits, EvictionTellsWhatItKnows) {
    InspectorConfig config = small_config();
    config.limits.flows_max = 16;
    config.limits.cold_flows_max = 16;
    Line line(config);
    for (std::uint16_t i = 0; i < 64; ++i) {
        Talk talk{line, static_cast<std::uint16_t>(30000 + i)};
        talk.open();
        talk.client(client_hello_record());
    }
    line.finish();
    EXPECT_EQ(line.all(Field::ja4).size(), 64u);
    EXPECT_EQ(line.of(Kind::close).size(), 64u);
    EXPECT_EQ(line.count(Counter::flows_evicted), 48u);
}

TEST(Limits, RecordsThatFindNoRoomAreCountedAndTheirFactsComeLater) {
    Line line(small_config(), 8192);
    line.hold_ring();
    std::vector<Talk> talks;
    for (std::uint16_t i = 0; i < 32; ++i) {
        talks.push_back({line, static_cast<std::uint16_t>(30000 + i)});
        talks.back().open();
        talks.back().client(client_hello_record());
    }
    line.wait(2 * kSecond);
    line.inspector().advance(line.now());
    const std::uint64_t dropped = line.count(Counter::records_dropped_ring_full);
    EXPECT_GT(dropped, 0u);
    EXPECT_EQ(dropped + line.count(Counter::records_open), 32u);
    line.drain();
    line.finish();
    EXPECT_EQ(line.all(Field::ja4).size(), 32u);
}

TEST(Limits, HttpConnectionsWithoutStateAreCounted) {
    InspectorConfig config = small_config();
    config.limits.h2_connections_max = 2;
    Line line(config);
    for (std::uint16_t i = 0; i < 4; ++i) {
        Talk talk{line, static_cast<std::uint16_t>(30000 + i)};
        talk.open();
        talk.client_says(std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
    }
    EXPECT_EQ(line.count(Counter::h2_connections_exhausted), 2u);
    line.finish();
    // Given back at the end: two more fit.
    Talk talk{line, 31000};
    talk.open();
    talk.client_says(std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
    EXPECT_EQ(line.count(Counter::h2_connections_exhausted), 2u);
    line.finish();
    EXPECT_EQ(line.flows(), 0u) << "an inspector may be finished more than once";
}

TEST(Limits, TimeMayJumpAnywhere) {
    InspectorConfig config = small_config();
    config.records_all = true;
    Line line(config);
    Talk talk{line};
    talk.open();
    talk.client(client_hello_record());
    for (const std::int64_t at :
         {std::int64_t{0}, std::numeric_limits<std::int64_t>::max() - 10 * kSecond,
          std::numeric_limits<std::int64_t>::min(), Line::kStart, Line::kStart - 3600 * kSecond,
          Line::kStart + 20 * 365 * 86400 * kSecond}) {
        line.set_now({at});
        talk.server(server_hello_record());
        talk.client(application_data(100));
        line.inspector().advance({at});
        Talk other{line, 40001};
        other.open();
        other.client(client_hello_record());
    }
    line.finish();
    EXPECT_EQ(line.flows(), 0u);
    EXPECT_LT(line.records.size(), 200u);
}

TEST(Limits, TimersGoOnWhenTheClockGoesBackByHours) {
    Line line;
    line.wait(5 * 3600 * kSecond);
    Talk before{line, 40000};
    before.open();
    before.client(client_hello_record());
    Talk again{line, 40001};
    again.open();
    again.client(client_hello_record());
    line.pass(2 * kSecond);
    line.set_now({Line::kStart});
    Talk after{line, 40003};
    after.open();
    after.client(client_hello_record());
    Talk half_open{line, 40002};
    half_open.syn();
    line.pass(2 * kSecond);
    EXPECT_EQ(line.count(Counter::time_stepped_back), 1u);
    EXPECT_EQ(line.all(Field::ja4).size(), 3u) << "its open record is written a second after the hello";
    // The same 5-tuple in the new time is another flow.
    EXPECT_EQ(line.count(Counter::flows_new), 4u);
    Talk(again).syn();
    EXPECT_EQ(line.count(Counter::flows_new), 5u);
    EXPECT_EQ(line.count(Counter::flows_closed_idle), 1u);
    line.pass(12 * kSecond);
    EXPECT_EQ(line.count(Counter::flows_closed_half_open), 2u);
    line.pass(1100 * kSecond);  // a turn of the wheel
    EXPECT_EQ(line.flows(), 0u);
    EXPECT_EQ(line.of(Kind::close).size(), 3u);
}

TEST(Limits, OneWildTimeStampSplitsNoFlow) {
    Line line;
    Talk talk{line};
    talk.syn();
    const Nanos sound = line.now();
    line.set_now({Line::kStart - 20 * 365 * 86400 * kSecond});
    talk.syn_ack();
    line.set_now(sound);
    talk.ack();
    talk.client(client_hello_record());
    line.finish();
    EXPECT_EQ(line.count(Counter::flows_new), 1u);
    EXPECT_EQ(line.count(Counter::time_stepped_back), 0u);
    EXPECT_EQ(line.all(Field::ja4).size(), 1u);
}

TEST(Limits, TimeThatGoesBackALittleIsReordering) {
    Line line;
    Talk talk{line};
    talk.open();
    talk.client(client_hello_record());
    line.wait(-200 * kSecond);
    talk.server(server_hello_record());
    line.finish();
    EXPECT_EQ(line.count(Counter::time_stepped_back), 0u);
    EXPECT_EQ(line.count(Counter::flows_new), 1u);
}

TEST(Limits, UpdatesMayBeOffOrOften) {
    for (const std::int64_t every : {std::int64_t{0}, 500 * kMillisecond, -kSecond}) {
        InspectorConfig config = small_config();
        config.limits.update_every_ns = every;
        Line line(config);
        Talk talk{line};
        talk.open();
        talk.client(client_hello_record());
        talk.server(server_hello_record());
        line.pass(10 * kSecond);
        const std::size_t updates = line.of(Kind::update).size();
        EXPECT_LE(updates, every > 0 ? 22u : 1u);
        EXPECT_GE(updates, every > 0 ? 18u : 0u);
    }
}

}  // namespace
}  // namespace seine::pipeline
