// Both directions of a flow, and all its fragments, are steered alike.
#include "dataplane/wire/steering.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/unit/wire/frames.h"

namespace seine::wire {
namespace {

using namespace synth;

Layer there(const Bytes& payload) { return ipv4({}, tcp({}, payload)); }
Layer back(const Bytes& payload) {
    return ipv4({.source = "198.51.100.2", .target = "192.0.2.1"},
                tcp({.source_port = 443, .target_port = 40000}, payload));
}

TEST(Steering, BothDirectionsHashAlike) {
    const Steering first = peek(eth(there(hello())).bytes, LinkType::ethernet, 5);
    const Steering second = peek(eth(back({})).bytes, LinkType::ethernet, 5);
    EXPECT_EQ(first.by, SteerBy::flow);
    EXPECT_EQ(first.flow_hash, second.flow_hash);
    EXPECT_NE(first.flow_hash, peek(eth(there(hello())).bytes, LinkType::ethernet, 6).flow_hash);
    // Swapping the ports alone is another flow.
    const Layer other = ipv4({}, tcp({.source_port = 443, .target_port = 40000}));
    EXPECT_NE(first.flow_hash, peek(eth(other).bytes, LinkType::ethernet, 5).flow_hash);
}

TEST(Steering, EveryStackSteersByItsInnermostFlow) {
    std::set<std::uint64_t> hashes;
    for (const NamedFrame& frame : all_frames()) {
        const Exact exact(frame.bytes);
        const Steering steering = peek(exact.view(), frame.link);
        EXPECT_EQ(steering.by, SteerBy::flow) << frame.name;
        hashes.insert(steering.flow_hash);
    }
    // TCP and UDP over IPv4 and IPv6 between the same ends: four flows in all.
    EXPECT_EQ(hashes.size(), 4u);
}

TEST(Steering, ACutFrameSteersAsTheWholeOne) {
    for (const NamedFrame& frame : all_frames()) {
        const Steering whole = peek(frame.bytes, frame.link);
        std::size_t same = 0;
        for (std::size_t captured = 0; captured <= frame.bytes.size(); ++captured) {
            const Exact part(ByteView(frame.bytes).first(captured));
            const Steering steering = peek(part.view(), frame.link);
            if (steering.by != SteerBy::flow) continue;
            EXPECT_EQ(steering.flow_hash, whole.flow_hash) << frame.name << " cut at " << captured;
            ++same;
        }
        EXPECT_GE(same, 6u) << frame.name;  // wherever the cut is behind the transport header
    }
}

TEST(Steering, FragmentsShareAKeyAndTheFirstKnowsTheFlow) {
    const Layer segment = tcp({}, counting(3000));
    const std::uint64_t flow = peek(eth(there({})).bytes, LinkType::ethernet).flow_hash;
    const auto pieces = fragments4({.id = 3}, segment, 1480);
    const Steering first = peek(eth(pieces[0]).bytes, LinkType::ethernet);
    EXPECT_EQ(first.by, SteerBy::first_fragment);
    EXPECT_EQ(first.flow_hash, flow);
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        const Steering later = peek(eth(pieces[i]).bytes, LinkType::ethernet);
        EXPECT_EQ(later.by, SteerBy::later_fragment);
        EXPECT_EQ(later.fragment_key, first.fragment_key);
    }
    const Steering other =
        peek(eth(fragments4({.id = 4}, segment, 1480)[1]).bytes, LinkType::ethernet);
    EXPECT_NE(other.fragment_key, first.fragment_key);
}

TEST(Steering, FragmentsOfATunnelPacketFollowTheInnerFlow) {
    const std::uint64_t flow = peek(eth(there({})).bytes, LinkType::ethernet).flow_hash;
    const Layer tunnel = vxlan(5, eth(there(counting(1400))));
    for (const bool v6 : {false, true}) {
        const auto pieces =
            v6 ? fragments6({.source = "fd00::1", .target = "fd00::2"}, 9, tunnel, 800)
               : fragments4({.source = kOuterSource, .target = kOuterTarget, .id = 9}, tunnel, 800);
        const Steering first = peek(eth(pieces[0]).bytes, LinkType::ethernet);
        EXPECT_EQ(first.by, SteerBy::first_fragment);
        EXPECT_EQ(first.flow_hash, flow);
        EXPECT_EQ(peek(eth(pieces[1]).bytes, LinkType::ethernet).fragment_key, first.fragment_key);
    }
}

TEST(Steering, OtherTrafficSteersByAddressesOrNotAtAll) {
    const Steering icmp = peek(eth(ipv4({}, raw(1, counting(8)))).bytes, LinkType::ethernet);
    EXPECT_EQ(icmp.by, SteerBy::addresses);
    const Layer answer =
        ipv4({.source = "198.51.100.2", .target = "192.0.2.1"}, raw(1, counting(20)));
    EXPECT_EQ(icmp.flow_hash, peek(eth(answer).bytes, LinkType::ethernet).flow_hash);
    EXPECT_EQ(peek(eth({.bytes = Bytes(28), .ether_type = 0x0806}).bytes, LinkType::ethernet).by,
              SteerBy::none);
    EXPECT_EQ(peek({}, LinkType::ethernet).by, SteerBy::none);
}

// Found by fuzzing: the datagram is no tunnel, and decoder and steering have to agree on that.
TEST(Steering, AnImpossibleFragmentInsideAUdpTunnelLeavesThePlainDatagram) {
    const Layer inner = ipv4({.more_fragments = true, .offset_bytes = 65528}, raw(6, counting(24)));
    const Layer frame = eth(outer_v4(vxlan(42, eth(inner))));
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    const Exact exact(frame.bytes);
    ASSERT_EQ(decode_exact(decoder, exact, frame.bytes.size(), LinkType::ethernet, packet),
              DecodeResult::ok);
    EXPECT_EQ(packet.transport, Transport::udp);
    EXPECT_FALSE(packet.fragmented);
    EXPECT_EQ(peek(frame.bytes, LinkType::ethernet).by, SteerBy::flow);
}

TEST(Steering, SpreadsFlowsEvenly) {
    std::size_t counts[4] = {};
    for (std::uint16_t port = 32768; port < 32768 + 4000; ++port) {
        ++counts[peek(eth(ipv4({}, tcp({.source_port = port}))).bytes, LinkType::ethernet)
                     .flow_hash %
                 4];
    }
    for (const std::size_t count : counts) EXPECT_NEAR(static_cast<double>(count), 1000.0, 150.0);
}

}  // namespace
}  // namespace seine::wire
