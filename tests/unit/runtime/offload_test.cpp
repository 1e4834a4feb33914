// Rules for cards: what is asked of one, what happens when it refuses, and the same in software.
#include "dataplane/runtime/offload.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/runtime/recording_card.h"
#include "tools/synth/packet_builder.h"

namespace seine::runtime {
namespace {

using wire::LinkType;

constexpr char kKey[] =
    "6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a";

// As dpdk-testpmd takes them.
TEST(CardRules, AreWhatTestpmdWouldBeTold) {
    const std::string key(kKey, 80);
    const auto rules = rules_for_ports({443});
    std::vector<std::string> lines;
    for (const CardRule& rule : rules) lines.push_back(testpmd_line(rule, 3, 2));
    const auto spread = [&](const char* pattern, const char* type) {
        return std::string("flow create 3 priority 1 ingress pattern eth / ") + pattern +
               " / end actions rss func toeplitz types " + type + " end key " + key +
               " queues 0 1 end / end";
    };
    const std::vector<std::string> wanted = {
        spread("ipv4 / tcp dst is 443", "ipv4-tcp"),
        spread("ipv4 / tcp src is 443", "ipv4-tcp"),
        spread("ipv4 / udp dst is 443", "ipv4-udp"),
        spread("ipv4 / udp src is 443", "ipv4-udp"),
        spread("ipv6 / tcp dst is 443", "ipv6-tcp"),
        spread("ipv6 / tcp src is 443", "ipv6-tcp"),
        spread("ipv6 / udp dst is 443", "ipv6-udp"),
        spread("ipv6 / udp src is 443", "ipv6-udp"),
        "flow create 3 priority 2 ingress pattern eth / end actions count / drop / end"};
    EXPECT_EQ(lines, wanted);
    EXPECT_EQ(testpmd_line(rules[0], 0, 1),
              "flow create 0 priority 1 ingress pattern eth / ipv4 / tcp dst is 443 / end actions "
              "queue index 0 / end");
    EXPECT_EQ(rules_for_ports({443, 8443}).size(), 17u);
}

TEST(CardRules, AreAllValidatedBeforeTheFirstIsMade) {
    RecordingCard card;
    const auto rules = rules_for_ports({443});
    const OffloadState state = put_on_card(card, rules);
    EXPECT_EQ(state.where, OffloadState::Where::card);
    EXPECT_EQ(state.rules, rules.size());
    EXPECT_EQ(card.held.size(), rules.size());
    ASSERT_EQ(card.asked.size(), 2 * rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        EXPECT_EQ(card.asked[i], "validate " + testpmd_line(rules[i], 0, 2));
        EXPECT_EQ(card.asked[rules.size() + i], "create " + testpmd_line(rules[i], 0, 2));
    }
}

TEST(CardRules, ACardThatRefusesOneGetsNone) {
    RecordingCard card;
    card.refuse_validation = 8;
    card.words = "no counters here";
    const OffloadState state = put_on_card(card, rules_for_ports({443}));
    EXPECT_EQ(state.where, OffloadState::Where::software);
    EXPECT_TRUE(card.held.empty());
    EXPECT_NE(state.why.find("pattern eth / end actions count / drop"), std::string::npos)
        << state.why;
    EXPECT_NE(state.why.find("no counters here"), std::string::npos) << state.why;
    for (const std::string& line : card.asked) EXPECT_TRUE(line.starts_with("validate")) << line;
}

TEST(CardRules, WhatWasMadeBeforeARefusalIsTakenBack) {
    for (const int at : {0, 4, 8}) {
        RecordingCard card;
        card.refuse_creation = at;
        const OffloadState state = put_on_card(card, rules_for_ports({443}));
        EXPECT_EQ(state.where, OffloadState::Where::software);
        EXPECT_EQ(state.rules, 0u);
        EXPECT_TRUE(card.held.empty());
        EXPECT_EQ(std::count(card.asked.begin(), card.asked.end(), "destroy"), at);
        EXPECT_NE(state.why.find("not supported"), std::string::npos) << state.why;
    }
}

bool wants(const PortFilter& filter, const synth::Layer& layer) {
    return filter.wants(layer.bytes, LinkType::ethernet);
}

TEST(PortFilter, KeepsBothDirectionsOfItsPortsAndWhatItCannotRead) {
    using namespace synth;
    const PortFilter filter({443, 8443});
    const auto tcp_of = [](std::uint16_t source, std::uint16_t target) {
        return tcp({.source_port = source, .target_port = target});
    };
    const auto udp_of = [](std::uint16_t source, std::uint16_t target) {
        return udp({.source_port = source, .target_port = target}, bytes_of("payload"));
    };
    EXPECT_TRUE(wants(filter, eth(ipv4({}, tcp_of(50000, 443)))));
    EXPECT_TRUE(wants(filter, eth(ipv4({}, tcp_of(8443, 50000)))));
    EXPECT_TRUE(wants(filter, eth(vlan(7, ipv6({}, udp_of(50000, 443))))));
    EXPECT_TRUE(wants(filter, eth(ipv4({.options = from_hex("0101 0101")}, tcp_of(443, 1)))));
    EXPECT_FALSE(wants(filter, eth(ipv4({}, tcp_of(50000, 80)))));
    EXPECT_FALSE(wants(filter, eth(vlan(7, ipv6({}, udp_of(53, 50000))))));
    EXPECT_TRUE(wants(filter, eth(ipv4({.id = 7, .offset_bytes = 64}, udp_of(1, 2)))))
        << "a fragment bears no ports";
    EXPECT_TRUE(wants(filter, eth(ipv4({}, ipv4({}, tcp_of(1, 2))))))
        << "a tunnel is looked into later";
    EXPECT_FALSE(PortFilter().any());
    const auto whole = eth(vlan(7, ipv6({}, tcp_of(1, 2)))).bytes;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
        static_cast<void>(filter.wants(ByteView(whole).first(bytes), LinkType::ethernet));
}

}  // namespace
}  // namespace seine::runtime
