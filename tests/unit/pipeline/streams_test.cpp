// TCP as it really arrives: what any order, loss, copy or lie of segments does to a fingerprint.
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;
using synth::kAck;
using synth::kFin;
using synth::kPsh;
using synth::kRst;
using synth::kSyn;

// One connection whose hello the test sends in its own way; the JA4 must come out the same.
class Streams : public testing::Test {
  protected:
    void expect_hello() {
        line.finish();
        EXPECT_EQ(line.all(Field::ja4), std::vector<std::string>{plain_ja4()});
        EXPECT_EQ(line.count(Counter::tls_client_hellos), 1u);
    }
    Line line;
    Talk talk{line};
    Bytes hello = client_hello_record();
};

TEST_F(Streams, HelloInOneSegment) {
    talk.open();
    talk.client(hello);
    expect_hello();
    EXPECT_FALSE(plain_ja4().empty());
}

TEST_F(Streams, HelloInOneByteSegments) {
    talk.open();
    for (std::size_t at = 0; at < hello.size(); ++at) talk.client_piece(hello, at, at + 1);
    expect_hello();
}

TEST_F(Streams, HelloBackwardsInSmallSegments) {
    talk.open();
    for (std::size_t end = hello.size(); end > 0; end -= std::min<std::size_t>(end, 7))
        talk.client_piece(hello, end - std::min<std::size_t>(end, 7), end);
    expect_hello();
    EXPECT_GT(line.count(Counter::stream_reordered), 0u);
}

TEST_F(Streams, HelloInTwoByteSegmentsHasItsZeros) {
    talk.open();
    for (std::size_t at = 0; at < hello.size(); at += 2)
        talk.client_piece(hello, at, std::min(at + 2, hello.size()));
    expect_hello();
}

TEST_F(Streams, ZerosThatAMiddleboxMadeOfPaddingAreNoData) {
    talk.open();
    line.packet(talk.from_client(kAck, talk.client_next, Bytes(6, 0)));
    line.packet(talk.from_client(kAck, talk.client_next, Bytes(2, 0)));
    talk.client(hello);
    expect_hello();
}

TEST_F(Streams, FirstByteReceivedWinsAndTheConflictIsCounted) {
    talk.open();
    Bytes forged = hello;
    for (std::size_t at = 60; at < forged.size(); ++at) forged[at] ^= 0xff;
    talk.client_piece(hello, 50, hello.size());   // waits behind a gap
    talk.client_piece(forged, 50, forged.size());  // another story for the same bytes
    talk.client_piece(hello, 0, 50);
    expect_hello();
    EXPECT_EQ(line.count(Counter::stream_conflicts), 1u);
    EXPECT_EQ(line.last(Field::conflicts), 1u);
}

TEST_F(Streams, DuplicatesAreCountedAndBringNothing) {
    talk.open();
    talk.client_piece(hello, 0, 40);
    line.wait(300 * kMillisecond);
    talk.client_piece(hello, 0, 40);
    talk.client_piece(hello, 20, 60);
    talk.client_piece(hello, 60, hello.size());
    expect_hello();
    EXPECT_GE(line.count(Counter::stream_duplicates), 1u);
    EXPECT_EQ(line.last(Field::payload_c), hello.size());
}

TEST_F(Streams, SequenceNumbersWrapInsideTheHello) {
    talk.client_next = 0xffffffff - 30;
    talk.open();
    for (std::size_t at = 0; at < hello.size(); at += 11)
        talk.client_piece(hello, at, std::min(at + 11, hello.size()));
    expect_hello();
    EXPECT_EQ(line.last(Field::payload_c), hello.size());
}

TEST_F(Streams, DataInTheSyn) {
    line.packet(talk.from_client(kSyn, talk.client_next, hello));
    talk.client_next += 1 + static_cast<std::uint32_t>(hello.size());
    talk.syn_ack();
    talk.ack();
    expect_hello();
}

TEST_F(Streams, KeepAliveGarbageIsNoData) {
    talk.open();
    talk.client_piece(hello, 0, 100);
    // One byte below the next one expected, with a value that was never sent.
    line.packet(talk.from_client(kAck, talk.client_next + 99, {0xee}));
    talk.client_piece(hello, 100, hello.size());
    expect_hello();
    EXPECT_EQ(line.count(Counter::stream_keepalives), 1u);
    EXPECT_EQ(line.count(Counter::stream_conflicts), 0u);
}

TEST_F(Streams, NoSynSeen) {
    talk.client_next = 77777;
    talk.client(hello);
    expect_hello();
    EXPECT_EQ(line.last(Field::seen), static_cast<std::uint64_t>(contract::Seen::client));
    EXPECT_TRUE(line.all(Field::syn).empty());
}

TEST_F(Streams, TheClientAlone) {
    talk.syn();
    talk.server_next = 9001;
    talk.ack();
    talk.client(hello);
    expect_hello();
    EXPECT_EQ(line.last(Field::seen), static_cast<std::uint64_t>(contract::Seen::client));
}

TEST_F(Streams, TheServerAlone) {
    talk.client_next = 1001;
    talk.syn_ack();
    talk.server(server_hello_record());
    line.finish();
    EXPECT_EQ(line.last(Field::seen), static_cast<std::uint64_t>(contract::Seen::server));
    EXPECT_EQ(line.count(Counter::tls_server_hellos), 1u);
    EXPECT_TRUE(line.all(Field::ja4).empty());
    // The server is the target, whoever was seen.
    EXPECT_EQ(line.last(Field::dport), 443u);
}

TEST_F(Streams, TheServersPacketComesFirst) {
    // A client on a lower port than the server's: ports alone would say the opposite.
    talk.client_port = 999;
    talk.server_port = 50000;
    talk.server_next = 5000;
    line.packet(talk.from_server(kAck, talk.server_next));
    talk.client(hello);
    talk.server(server_hello_record());
    expect_hello();
    EXPECT_EQ(line.last(Field::sport), 999u);
    EXPECT_EQ(line.last(Field::dport), 50000u);
    EXPECT_EQ(line.last(Field::packets_s), 2u);
    EXPECT_EQ(line.last(Field::packets_c), 1u);
}

TEST_F(Streams, ALateSynStillSaysWhoTheClientIs) {
    talk.client_port = 999;
    talk.server_port = 50000;
    talk.client_next = 1001;
    talk.server_next = 9001;
    line.packet(talk.from_server(kAck | kPsh, 9001, synth::bytes_of("?")));  // overtook the SYNs
    line.packet(talk.from_client(kSyn, 1000));
    line.packet(talk.from_server(kSyn | kAck, 9000));
    talk.ack();
    talk.client_says("xyzzy\r\n");
    line.finish();
    EXPECT_EQ(line.last(Field::sport), 999u);
    EXPECT_EQ(line.last(Field::dport), 50000u);
    EXPECT_EQ(line.all(Field::syn).size(), 1u);
}

TEST_F(Streams, TheTupleIsUsedAgainAfterFin) {
    talk.open();
    talk.client(hello);
    talk.fin();
    talk.client_next = 500000;
    talk.server_next = 700000;
    talk.open();
    talk.client(client_hello_record("other.example"));
    line.finish();
    EXPECT_EQ(line.all(Field::sni), (std::vector<std::string>{"api.example", "other.example"}));
    const auto closes = line.of(Kind::close);
    ASSERT_EQ(closes.size(), 2u);
    EXPECT_EQ(closes[0].get(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::fin));
    EXPECT_NE(closes[0].view.flow.counter, closes[1].view.flow.counter);
}

TEST_F(Streams, TheTupleIsUsedAgainWithoutFin) {
    talk.open();
    talk.client(hello);
    talk.client_next = 500000;
    talk.server_next = 700000;
    talk.open();
    talk.client(client_hello_record("other.example"));
    line.finish();
    EXPECT_EQ(line.all(Field::sni).size(), 2u);
    const auto closes = line.of(Kind::close);
    ASSERT_EQ(closes.size(), 2u);
    EXPECT_EQ(closes[0].get(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::reused));
    EXPECT_EQ(line.count(Counter::packets_tcp), line.count(Counter::packets));
}

TEST_F(Streams, TheTupleIsUsedAgainAndOnlyTheServerIsSeen) {
    talk.syn_ack();
    talk.server(server_hello_record());
    talk.server_next = 800000;
    talk.client_next = 400000;
    talk.syn_ack();
    talk.server(server_hello_record());
    line.finish();
    EXPECT_EQ(line.count(Counter::tls_server_hellos), 2u);
    EXPECT_EQ(line.of(Kind::close).size(), 2u);
}

TEST_F(Streams, ACopyOfTheFirstSynDoesNotEndASettledFlow) {
    talk.open();
    talk.client(hello);
    talk.server(server_hello_record());
    talk.client(application_data(100));
    talk.server(application_data(100));
    line.packet(talk.from_client(kSyn, 1000));
    talk.client(application_data(100));
    line.finish();
    EXPECT_EQ(line.of(Kind::close).size(), 1u);
    EXPECT_EQ(line.count(Counter::flows_new), 1u);
}

TEST_F(Streams, AResetOutsideTheWindowEndsNothing) {
    talk.open();
    talk.client(hello);
    talk.server(server_hello_record());
    line.packet(talk.from_client(kRst, talk.client_next + 0x40000000));
    talk.client(application_data(100));
    talk.server(application_data(100));
    line.pass(40 * kSecond);  // settled by now
    line.packet(talk.from_server(kRst, talk.server_next + 0x40000000));
    line.wait(5 * kSecond);
    talk.client(application_data(100));
    line.finish();
    EXPECT_EQ(line.count(Counter::flows_closed_rst), 0u);
    EXPECT_EQ(line.count(Counter::flows_new), 1u);
}

TEST_F(Streams, FinsOutsideTheWindowEndNothing) {
    talk.open();
    talk.client(hello);
    line.packet(talk.from_client(kFin | kAck, talk.client_next + 0x40000000));
    line.packet(talk.from_server(kFin | kAck, talk.server_next + 0x40000000));
    line.wait(5 * kSecond);
    talk.server(server_hello_record());
    line.finish();
    EXPECT_EQ(line.count(Counter::flows_new), 1u);
    EXPECT_EQ(line.count(Counter::flows_closed_fin), 0u);
}

TEST_F(Streams, AFinThatOvertakesTheHello) {
    talk.open();
    line.packet(talk.from_client(kFin | kAck, talk.client_next + static_cast<std::uint32_t>(hello.size())));
    line.packet(talk.from_server(kFin | kAck, talk.server_next));
    talk.client(hello);
    expect_hello();
    EXPECT_EQ(line.count(Counter::flows_closed_fin), 1u);
}

TEST_F(Streams, AResetEndsTheFlowWithItsReason) {
    talk.open();
    talk.client(hello);
    line.packet(talk.from_server(kRst, talk.server_next));
    line.pass(3 * kSecond);
    ASSERT_EQ(line.of(Kind::close).size(), 1u);
    EXPECT_EQ(line.last(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::rst));
    EXPECT_EQ(line.flows(), 0u);
}

TEST_F(Streams, BytesThatNeverCameAreGivenUpWithAReason) {
    talk.open();
    talk.client_piece(hello, 0, 50);
    talk.client_piece(hello, 100, hello.size());
    talk.client_next += static_cast<std::uint32_t>(hello.size());
    for (int i = 0; i < 5; ++i) line.packet(talk.from_server(kAck, talk.server_next));
    line.finish();
    EXPECT_TRUE(line.all(Field::ja4).empty());
    EXPECT_TRUE(line.says(Field::incomplete, "stream_lost"));
    EXPECT_EQ(line.count(Counter::stream_lost), 1u);
}

TEST_F(Streams, FarSegmentsAfterTheEndOfReadingAreNoLossAgain) {
    talk.open();
    talk.client(hello);
    talk.server(server_hello_record());
    talk.client(application_data(64));
    for (int i = 0; i < 40; ++i) {
        line.packet(talk.from_client(kAck, 0x70000000u + 100u * static_cast<unsigned>(i), Bytes(100, 1)));
    }
    line.finish();
    EXPECT_LE(line.count(Counter::stream_lost), 1u);
}

TEST_F(Streams, SpanCopiesAreCountedAndLeftOut) {
    talk.syn();
    talk.syn_ack();
    talk.ack();
    const Bytes packet = talk.from_client(kAck | kPsh, talk.client_next, hello);
    line.packet(packet);
    line.packet(packet);
    expect_hello();
    EXPECT_EQ(line.count(Counter::packets_copied_by_span), 1u);
    EXPECT_EQ(line.count(Counter::stream_duplicates), 0u);
}

TEST_F(Streams, AHelloInFragments) {
    talk.open();
    synth::TcpFields fields;
    fields.seq = talk.client_next;
    fields.ack = talk.server_next;
    const auto pieces = synth::fragments4({}, synth::tcp(fields, hello), 64);
    for (auto at = pieces.rbegin(); at != pieces.rend(); ++at) line.packet(synth::eth(*at).bytes);
    expect_hello();
}

TEST_F(Streams, APacketTheCaptureCutGivesAReason) {
    talk.open();
    Bytes packet = talk.from_client(kAck | kPsh, talk.client_next, hello);
    packet.resize(packet.size() - 60);
    line.packet(packet, 60);
    line.finish();
    EXPECT_TRUE(line.all(Field::ja4).empty());
    EXPECT_TRUE(line.says(Field::incomplete, "hello_cut"));
}

TEST_F(Streams, AnExhaustedPoolIsACountedGiveUp) {
    InspectorConfig config = small_config();
    config.limits.stream_pool_bytes = 1;  // one slab of the largest size
    Line poor(config);
    const Bytes large = client_hello_record("api.example", 12000);
    std::vector<Talk> talks;
    for (std::uint16_t i = 0; i < 200; ++i) {
        talks.push_back({poor, static_cast<std::uint16_t>(20000 + i)});
        talks.back().open();
        talks.back().client_piece(large, 6000, large.size());
    }
    poor.finish();
    EXPECT_GT(poor.count(Counter::stream_pool_exhausted), 0u);
    EXPECT_TRUE(poor.says(Field::incomplete, "stream_pool_exhausted"));
}

}  // namespace
}  // namespace seine::pipeline
