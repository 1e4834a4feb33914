// Flows that a card passes by: which ask, and that their counts stay whole.
#include <cstring>

#include "dataplane/pipeline/bypass.h"
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;

constexpr std::size_t kSegment = 1400;
constexpr std::uint64_t kOverhead = 14 + 20 + 32;

InspectorConfig with_bypass() {
    InspectorConfig config = small_config();
    config.bypass_shift = 17;  // 128 KiB
    return config;
}

// Bytes that no parser claims.
synth::Bytes noise() { return synth::Bytes(kSegment, 0x01); }

std::vector<BypassAsk> asks_of(Line& line) {
    std::vector<BypassAsk> out;
    BypassAsk ask;
    while (line.inspector().bypass() != nullptr && line.inspector().bypass()->asks.pop(ask)) out.push_back(ask);
    return out;
}

class Bypass : public ::testing::Test {
  protected:
    Line line{with_bypass()};
    Talk talk{line, 40000, 873};
    std::uint64_t sent = 0;  // by the server

    void bulk(int segments) {
        for (int i = 0; i < segments; ++i) {
            talk.server(noise());
            sent += kSegment;
        }
    }
    // As a card would tell of what the server sent; `frames` of that many bytes of payload each.
    void passed(const BypassAsk& ask, std::uint64_t frames) {
        BypassCount count;
        count.flow = ask.flow;
        count.number = ask.number;
        const unsigned way = ask.key.low_port == 873 ? 0 : 1;
        count.packets[way] = frames;
        count.bytes[way] = frames * (kSegment + kOverhead);
        ASSERT_TRUE(line.inspector().bypass()->counts.push(count));
        talk.server_next += static_cast<std::uint32_t>(frames * kSegment);
        sent += frames * kSegment;
    }
};

TEST_F(Bypass, ASettledBulkFlowAsksOnceAndSaysWhenItIsOver) {
    talk.open();
    bulk(90);
    EXPECT_TRUE(asks_of(line).empty()) << "not yet 128 KiB";
    bulk(200);
    const auto asks = asks_of(line);
    ASSERT_EQ(asks.size(), 1u);
    EXPECT_FALSE(asks[0].over);
    EXPECT_EQ(asks[0].key.protocol, 6);
    EXPECT_EQ(std::min(asks[0].key.low_port, asks[0].key.high_port), 873);
    EXPECT_EQ(line.count(Counter::bypass_asked), 1u);
    talk.fin();
    line.finish();
    const auto ends = asks_of(line);
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_TRUE(ends[0].over);
    EXPECT_TRUE(ends[0].key == asks[0].key);
}

TEST_F(Bypass, WhatTheCardDroppedIsCountedAtItsFlow) {
    talk.open();
    bulk(200);
    const auto asks = asks_of(line);
    ASSERT_EQ(asks.size(), 1u);
    passed(asks[0], 1'000'000);
    line.pass(kSecond);
    EXPECT_EQ(line.count(Counter::packets_bypassed), 1'000'000u);
    // Frames were smaller than thought, and acknowledgements were not told: the sequence number settles it.
    talk.server_next -= 77'000;
    sent -= 77'000;
    talk.fin();
    line.packet(talk.from_server(synth::kAck, talk.server_next));  // of the client's FIN: past its own
    line.finish();
    const auto closes = line.of(contract::Kind::close);
    ASSERT_EQ(closes.size(), 1u);
    EXPECT_EQ(closes[0].get(Field::payload_s), sent);
    EXPECT_EQ(closes[0].get(Field::packets_s), 1'000'000u + 200 + 3);
    EXPECT_EQ(closes[0].get(Field::end_reason), static_cast<std::uint64_t>(contract::EndReason::fin));
}

TEST_F(Bypass, AFlowLivesByWhatTheCardCounts) {
    talk.open();
    bulk(200);
    const auto asks = asks_of(line);
    ASSERT_EQ(asks.size(), 1u);
    for (int i = 0; i < 4; ++i) {
        line.pass(600 * kSecond);
        passed(asks[0], 1000);
        line.pass(kSecond);
        EXPECT_EQ(line.flows(), 1u);
    }
    line.pass(930 * kSecond);
    EXPECT_EQ(line.flows(), 0u);
    passed(asks[0], 1000);
    line.pass(kSecond);
    EXPECT_EQ(line.count(Counter::packets_bypassed), 4000u) << "of a flow that is no more nothing is counted";
}

TEST_F(Bypass, FlowsWhoseTurnsAreMeteredAreNeverPassedBy) {
    talk.server_port = 443;
    talk.open();
    talk.client(client_hello_record());
    talk.server(server_hello_record());
    line.pass(40 * kSecond);
    for (int i = 0; i < 300; ++i) talk.server(application_data(kSegment - 5));
    EXPECT_GT(line.count(Counter::packets_settled), 0u);
    EXPECT_TRUE(asks_of(line).empty());
}

TEST(BypassOff, NobodyAsks) {
    Line line;
    Talk talk{line, 40000, 873};
    talk.open();
    for (int i = 0; i < 300; ++i) talk.server(noise());
    EXPECT_EQ(line.inspector().bypass(), nullptr);
    EXPECT_EQ(line.count(Counter::bypass_asked), 0u);
}

}  // namespace
}  // namespace seine::pipeline
