// Bulk flows on a card that records: the rules, what it counts, and when it lets go of them.
#include "dataplane/runtime/flow_bypass.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/runtime/recording_card.h"

namespace seine::runtime {
namespace {

flow::Endpoint four(std::uint8_t last, std::uint16_t port) {
    const std::uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
    flow::Endpoint out{{0, 0}, port};
    std::memcpy(out.address, bytes, sizeof bytes);
    return out;
}
flow::Endpoint six(std::uint8_t last, std::uint16_t port) {
    const std::uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
    flow::Endpoint out{{0, 0}, port};
    std::memcpy(out.address, bytes, sizeof bytes);
    return out;
}
pipeline::BypassAsk ask_of(std::uint8_t last, bool over = false) {
    return {flow::make_key(four(last, 50000), four(200, 873), 6).key, last, 7, over};
}

std::vector<std::string> lines_of(const flow::FlowKey& key) {
    std::vector<std::string> out;
    for (const CardRule& rule : rules_for_flow(key)) out.push_back(testpmd_line(rule, 1, 4));
    return out;
}

// As dpdk-testpmd takes them; SYN, FIN and RST go on to the workers.
TEST(FlowBypass, RulesAreWhatTestpmdWouldBeTold) {
    const std::string begin = "flow create 1 priority 0 ingress pattern eth / ";
    const std::string end = " / end actions count / drop / end";
    EXPECT_EQ(lines_of(flow::make_key(four(1, 50000), four(2, 873), 6).key),
              (std::vector<std::string>{
                  begin + "ipv4 src is 10.0.0.1 dst is 10.0.0.2 / tcp src is 50000 dst is 873 flags spec 0 flags mask 7" + end,
                  begin + "ipv4 src is 10.0.0.2 dst is 10.0.0.1 / tcp src is 873 dst is 50000 flags spec 0 flags mask 7" + end}));
    EXPECT_EQ(lines_of(flow::make_key(six(1, 4500), six(2, 4501), 17).key),
              (std::vector<std::string>{
                  begin + "ipv6 src is 2001:db8::1 dst is 2001:db8::2 / udp src is 4500 dst is 4501" + end,
                  begin + "ipv6 src is 2001:db8::2 dst is 2001:db8::1 / udp src is 4501 dst is 4500" + end}));
    EXPECT_EQ(example_flow_rules().size(), 2u);
}

TEST(FlowBypass, TellsTheWorkerWhatTheCardDroppedSinceTheLastTime) {
    auto owned = std::make_unique<RecordingCard>();
    RecordingCard& card = *owned;
    FlowBypass bypass(std::move(owned));
    pipeline::BypassLink link;
    bypass.take(ask_of(1), link);
    ASSERT_EQ(card.held.size(), 2u);
    pipeline::BypassCount count;
    bypass.tend();
    EXPECT_FALSE(link.counts.pop(count)) << "nothing was dropped";
    card.of(0) = {10, 15000};
    card.of(1) = {4, 264};
    bypass.tend();
    ASSERT_TRUE(link.counts.pop(count));
    EXPECT_EQ(count.flow, 1u);
    EXPECT_EQ(count.number, 7u);
    EXPECT_EQ(count.packets[0], 10u);
    EXPECT_EQ(count.bytes[1], 264u);
    card.of(0).packets = 11;
    card.of(0).bytes = 16500;
    bypass.take(ask_of(1, true), link);
    ASSERT_TRUE(link.counts.pop(count)) << "what came last is told with the end";
    EXPECT_EQ(count.packets[0], 1u);
    EXPECT_EQ(count.bytes[0], 1500u);
    EXPECT_EQ(count.packets[1], 0u);
    EXPECT_TRUE(card.held.empty());
    EXPECT_EQ(bypass.counts().flows, 0u);
    EXPECT_EQ(bypass.counts().made, 1u);
    EXPECT_EQ(bypass.counts().packets, 15u);
    EXPECT_EQ(bypass.counts().bytes, 16764u);
}

TEST(FlowBypass, WhatFindsNoRoomIsToldLater) {
    auto owned = std::make_unique<RecordingCard>();
    RecordingCard& card = *owned;
    FlowBypass bypass(std::move(owned));
    pipeline::BypassLink link;
    bypass.take(ask_of(1), link);
    while (link.counts.push({})) {
    }
    card.of(0) = {5, 500};
    bypass.tend();
    EXPECT_EQ(bypass.counts().packets, 0u);
    pipeline::BypassCount count;
    while (link.counts.pop(count)) EXPECT_EQ(count.packets[0], 0u);
    card.of(0) = {9, 900};
    bypass.tend();
    ASSERT_TRUE(link.counts.pop(count));
    EXPECT_EQ(count.packets[0], 9u);
}

TEST(FlowBypass, ARefusalIsKeptAndTheFlowGoesOn) {
    for (const bool at_creation : {false, true}) {
        auto owned = std::make_unique<RecordingCard>();
        RecordingCard& card = *owned;
        (at_creation ? card.refuse_creation : card.refuse_validation) = 1;
        card.words = "no flags here";
        FlowBypass bypass(std::move(owned));
        pipeline::BypassLink link;
        bypass.take(ask_of(1), link);
        EXPECT_TRUE(card.held.empty()) << "half a flow would be told wrongly";
        EXPECT_EQ(bypass.counts().refused, 1u);
        EXPECT_EQ(bypass.counts().flows, 0u);
        EXPECT_NE(bypass.counts().refusal.find("no flags here"), std::string::npos) << bypass.counts().refusal;
        EXPECT_NE(bypass.counts().refusal.find("ipv4 src is"), std::string::npos) << bypass.counts().refusal;
    }
}

TEST(FlowBypass, IsBoundedAndLetsGoOfWhatStandsStill) {
    auto owned = std::make_unique<RecordingCard>();
    RecordingCard& card = *owned;
    {
        FlowBypass bypass(std::move(owned), 2, 3);
        pipeline::BypassLink link;
        for (std::uint8_t i = 1; i <= 4; ++i) bypass.take(ask_of(i), link);
        EXPECT_EQ(bypass.counts().flows, 2u);
        EXPECT_EQ(bypass.counts().full, 2u);
        for (std::uint64_t i = 1; i <= 3; ++i) {
            card.of(2).packets = i;  // of the second flow
            bypass.tend();
        }
        EXPECT_EQ(bypass.counts().flows, 1u);
        EXPECT_EQ(card.held.size(), 2u);
        bypass.take(ask_of(9), link);
        EXPECT_EQ(bypass.counts().flows, 2u);
        bypass.take(ask_of(9), link);
        EXPECT_EQ(bypass.counts().flows, 2u) << "the same addresses again: one flow";
        // The card is asked for nothing that it does not hold.
        card.counts = false;
        bypass.tend();
    }
}

}  // namespace
}  // namespace seine::runtime
