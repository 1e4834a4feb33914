// When records are written, what they carry, and that the same packets always tell the same.
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;

class Records : public testing::Test {
  protected:
    void handshake() {
        talk.open();
        talk.client(client_hello_record());
        talk.server(server_hello_record());
    }
    Line line;
    Talk talk{line};
};

TEST_F(Records, TheOpenRecordComesAtMostASecondAfterTheHello) {
    talk.open();
    talk.client(client_hello_record());
    EXPECT_TRUE(line.records.empty());
    line.pass(1250 * kMillisecond);  // the second and a tick
    ASSERT_EQ(line.of(Kind::open).size(), 1u);
    EXPECT_EQ(line.records.size(), 1u);
}

TEST_F(Records, AnotherFlowsPacketsDriveTheTimer) {
    talk.open();
    talk.client(client_hello_record());
    line.wait(1250 * kMillisecond);
    Talk other{line, 50000};
    other.syn();
    EXPECT_EQ(line.of(Kind::open).size(), 1u);
}

TEST_F(Records, ALiveFlowIsUpdatedEveryMinute) {
    handshake();
    for (int i = 0; i < 7; ++i) {
        line.pass(30 * kSecond);
        talk.client(application_data(100));
    }
    std::size_t totals = 0;
    for (const Record& record : line.of(Kind::update)) totals += record.has(Field::packets_c) ? 1 : 0;
    EXPECT_EQ(totals, 3u);
}

TEST_F(Records, TheCloseCarriesTotalsAndTheReason) {
    handshake();
    talk.client(application_data(95));
    talk.server(application_data(495));
    talk.fin();
    line.pass(3 * kSecond);
    const auto closes = line.of(Kind::close);
    ASSERT_EQ(closes.size(), 1u);
    EXPECT_EQ(closes[0].get(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::fin));
    EXPECT_EQ(closes[0].get(Field::packets_c), 5u);
    EXPECT_EQ(closes[0].get(Field::packets_s), 4u);
    EXPECT_EQ(closes[0].get(Field::payload_c), client_hello_record().size() + 100);
    EXPECT_EQ(closes[0].get(Field::payload_s), server_hello_record().size() + 500);
}

TEST_F(Records, IdleFlowsCloseByTheirLimit) {
    handshake();
    line.pass(930 * kSecond);
    EXPECT_EQ(line.last(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::idle));
    EXPECT_EQ(line.flows(), 0u);
}

struct Turn {
    std::uint32_t request = 0;
    std::uint32_t response = 0;
    bool operator==(const Turn&) const = default;
};
std::vector<Turn> turns_of(const Line& line) {
    std::vector<Turn> out;
    for (const Record& record : line.records) {
        record.view.for_each_string([&](Field field, ByteView item) {
            if (field != Field::exchanges) return;
            for (std::size_t at = 0; at + 12 <= item.size(); at += 12)
                out.push_back({load_le32(item.data() + at + 4), load_le32(item.data() + at + 8)});
        });
    }
    return out;
}

TEST_F(Records, ExchangesAreMetered) {
    handshake();
    std::vector<Turn> expected;
    for (std::uint32_t i = 0; i < 40; ++i) {
        talk.client(application_data(195 + i));
        talk.server(application_data(995));
        talk.server(application_data(995));
        talk.client(application_data(20));  // an acknowledgement of a higher layer
        expected.push_back({200 + i, 2000});
    }
    line.finish();
    EXPECT_EQ(turns_of(line), expected);
    EXPECT_EQ(line.records.front().kind(), Kind::open) << "no update before the flow is told";
}

// A connection whose HTTP broke off is settled as TLS is after its handshake, but it has no hidden requests.
TEST_F(Records, TurnsInClearAreNotMetered) {
    talk.open();
    talk.client_says("GET /live HTTP/1.1\r\nHost: h\r\n\r\n");
    talk.server_says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n");
    for (int turn = 0; turn < 3; ++turn) {
        talk.client_says(std::string(200, '\x01'));
        talk.server_says(std::string(900, '\x02'));
    }
    EXPECT_GT(line.count(Counter::packets_settled), 0u);
    line.finish();
    EXPECT_EQ(line.last(Field::app), static_cast<std::uint64_t>(contract::App::http1));
    EXPECT_TRUE(turns_of(line).empty());
}

TEST_F(Records, ExhaustedBlocksTellTurnsAtOnce) {
    InspectorConfig config = small_config();
    config.limits.exchange_blocks_max = 1;
    Line poor(config);
    std::vector<Talk> talks;
    for (std::uint16_t i = 0; i < 4; ++i) {
        talks.push_back({poor, static_cast<std::uint16_t>(30000 + i)});
        talks.back().open();
        talks.back().client(client_hello_record());
        talks.back().server(server_hello_record());
    }
    for (int turn = 0; turn < 3; ++turn) {
        for (Talk& one : talks) {
            one.client(application_data(195));
            one.server(application_data(995));
        }
    }
    poor.finish();
    EXPECT_GT(poor.count(Counter::exchange_blocks_exhausted), 0u);
    EXPECT_EQ(turns_of(poor).size(), 12u);
}

TEST_F(Records, UnknownUdpMakesNoRecordHoweverMuchItTalks) {
    for (std::uint16_t i = 0; i < 400; ++i) {
        synth::UdpFields fields;
        const bool client = i % 2 == 0;
        fields.source_port = client ? std::uint16_t{40000} : std::uint16_t{5005};
        fields.target_port = client ? std::uint16_t{5005} : std::uint16_t{40000};
        synth::Ipv4Options ip;
        ip.source = client ? "192.0.2.1" : "198.51.100.2";
        ip.target = client ? "198.51.100.2" : "192.0.2.1";
        ip.id = i;
        line.packet(synth::eth(synth::ipv4(ip, synth::udp(fields, Bytes(200, 0x11)))).bytes);
    }
    line.pass(130 * kSecond);
    line.finish();
    EXPECT_TRUE(line.records.empty());
    EXPECT_EQ(line.count(Counter::protocol_unknown), 1u);
}

TEST_F(Records, FlowIdsCarryTheWorker) {
    InspectorConfig config = small_config();
    config.worker = 5;
    config.dataplane_id = 7;
    config.epoch = 9;
    Line other(config);
    for (std::uint16_t i = 0; i < 3; ++i) {
        Talk one{other, static_cast<std::uint16_t>(30000 + i)};
        one.open();
        one.client(client_hello_record());
    }
    other.finish();
    std::vector<std::uint64_t> seen;
    for (const Record& record : other.of(Kind::close)) {
        EXPECT_EQ(record.view.flow.counter & 0xff, 5u);
        EXPECT_EQ(record.view.flow.dataplane, 7u);
        EXPECT_EQ(record.view.flow.epoch, 9u);
        seen.push_back(record.view.flow.counter >> 8);
    }
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 2}));
}

TEST_F(Records, OuterAddressesAndTagsAreThoseOfTheClient) {
    const Bytes inner_payload = client_hello_record();
    synth::TcpFields fields;
    // The server's answer comes first through the tunnel, and is no SYN.
    fields.source_port = 443;
    fields.target_port = 40000;
    const auto answer = synth::eth(synth::ipv4({.source = "198.51.100.2", .target = "192.0.2.1"},
                                               synth::tcp(fields, server_hello_record())));
    line.packet(synth::eth(synth::vlan(7, synth::ipv4({.source = "10.0.0.2", .target = "10.0.0.1"},
                                                      synth::vxlan(42, answer)))).bytes);
    synth::TcpFields question;
    const auto hello = synth::eth(synth::ipv4({}, synth::tcp(question, inner_payload)));
    line.packet(synth::eth(synth::vlan(7, synth::ipv4({.source = "10.0.0.1", .target = "10.0.0.2"},
                                                      synth::vxlan(42, hello)))).bytes);
    line.finish();
    const auto opens = line.of(Kind::open);
    ASSERT_EQ(opens.size(), 1u);
    const ByteView outer = opens[0].view.ip(Field::outer_src);
    ASSERT_EQ(outer.size(), 16u);
    EXPECT_EQ(outer[15], 1u) << "the outer source of the client's packets";
    EXPECT_EQ(line.all(Field::tunnel), std::vector<std::string>{"vxlan:42"});
}

// Packets of many flows, mixed.
std::vector<Bytes> mixed_packets() {
    Line unused;
    std::vector<Bytes> out;
    std::vector<Talk> talks;
    for (std::uint16_t i = 0; i < 20; ++i) talks.push_back({unused, static_cast<std::uint16_t>(30000 + i)});
    const Bytes hello = client_hello_record();
    const Bytes half(hello.begin() + 90, hello.end());
    const Bytes start(hello.begin(), hello.begin() + 90);
    for (int step = 0; step < 7; ++step) {
        for (Talk& talk : talks) {
            switch (step) {
                case 0: out.push_back(talk.from_client(synth::kSyn, 1000)); break;
                case 1: out.push_back(talk.from_server(synth::kSyn | synth::kAck, 9000)); break;
                case 2: out.push_back(talk.from_client(synth::kAck, 1001)); break;
                case 3: out.push_back(talk.from_client(synth::kAck, 1091, half)); break;
                case 4: out.push_back(talk.from_client(synth::kAck, 1001, start)); break;
                case 5: out.push_back(talk.from_server(synth::kAck, 9001, server_hello_record())); break;
                default: out.push_back(talk.from_server(synth::kRst, 9001)); break;
            }
        }
    }
    return out;
}

TEST_F(Records, BurstsOfAnySizeTellTheSame) {
    const std::vector<Bytes> packets = mixed_packets();
    std::string first;
    for (const std::size_t burst : {1u, 7u, 64u}) {
        ByteRing ring(4u << 20);
        auto inspector = Inspector::make(small_config(), ring);
        ASSERT_TRUE(bool(inspector));
        Nanos now{Line::kStart};
        for (std::size_t at = 0; at < packets.size(); at += burst) {
            std::vector<Frame> frames;
            for (std::size_t i = at; i < std::min(at + burst, packets.size()); ++i) {
                now = now + 40 * kMillisecond;
                frames.push_back({packets[i], static_cast<std::uint32_t>(packets[i].size()),
                                  wire::LinkType::ethernet, now});
            }
            (*inspector)->inspect(frames);
        }
        while (!(*inspector)->finish(3)) {
        }
        std::string story;
        for (ByteView frame = ring.front(); !frame.empty(); frame = ring.front()) {
            story += as_text(frame);
            ring.release();
        }
        EXPECT_GT(story.size(), 20u * 100u);
        if (first.empty()) first = story;
        EXPECT_EQ(story, first) << "burst of " << burst;
    }
}

}  // namespace
}  // namespace seine::pipeline
