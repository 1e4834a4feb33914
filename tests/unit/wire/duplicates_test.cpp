// Copies by a SPAN port are told from retransmissions, probes and duplicate acknowledgements.
#include "dataplane/wire/duplicates.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/frames.h"

namespace seine::wire {
namespace {

using namespace synth;

struct Filter {
    DuplicateFilter filter{1024, 99};
    Decoder decoder{FragmentLimits{}};
    bool is_copy(const Layer& ip, std::int64_t at_ns) {
        const Exact exact(eth(ip).bytes);
        PacketView packet;
        EXPECT_EQ(decode_exact(decoder, exact, exact.view().size(), LinkType::ethernet, packet),
                  DecodeResult::ok);
        return filter.is_copy(packet, {at_ns + 1'700'000'000'000'000'000});
    }
};

const Layer kData = tcp({}, bytes_of("a request of some length, more than sixteen bytes"));
const Layer kAckOnly = tcp({.flags = kAck});

TEST(Duplicates, TheSamePacketWithinTheWindowIsACopy) {
    Filter filter;
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 9}, kData), 0));
    EXPECT_TRUE(filter.is_copy(ipv4({.id = 9}, kData), 2000));
    EXPECT_TRUE(filter.is_copy(ipv4({.id = 9}, kData), 3 * kMillisecond));
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 10}, kAckOnly), 0));
    EXPECT_TRUE(filter.is_copy(ipv4({.id = 10}, kAckOnly), 10));
}

TEST(Duplicates, VlanTunnelAndOneHopMayDiffer) {
    Filter filter;
    EXPECT_FALSE(filter.is_copy(ipv4({.ttl = 64, .id = 9}, kData), 0));
    EXPECT_TRUE(filter.is_copy(vlan(7, ipv4({.ttl = 63, .id = 9}, kData)), 5000));
    EXPECT_TRUE(filter.is_copy(outer_v4(gre(ipv4({.ttl = 64, .id = 9}, kData))), 6000));
    EXPECT_FALSE(filter.is_copy(ipv4({.ttl = 62, .id = 9}, kData), 7000));
}

TEST(Duplicates, ARetransmissionIsNone) {
    Filter filter;
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 9}, kData), 0));
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 10}, kData), 500));  // with an id of its own
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 9}, kData), 200 * kMillisecond));  // late
    EXPECT_FALSE(filter.is_copy(ipv6({}, kData), 0));
    EXPECT_FALSE(filter.is_copy(ipv6({}, kData), 5 * kMillisecond));
    // A keep-alive probe repeats the byte before the next; it comes after seconds.
    const Layer probe = tcp({.seq = 999, .flags = kAck}, {0});
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 11}, probe), 0));
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 11}, probe), kSecond));
}

TEST(Duplicates, AnyFieldThatDiffersMakesAnotherPacket) {
    const TcpFields base{};
    const Bytes payload = counting(100);
    Bytes other_begin = payload;
    other_begin[3] = 0xff;
    TcpFields seq = base;
    seq.seq += 1;
    TcpFields ack = base;
    ack.ack += 1;
    TcpFields flags = base;
    flags.flags = kAck;
    TcpFields window = base;
    window.window = 1;
    TcpFields port = base;
    port.source_port = 1;
    for (const Layer& other :
         {ipv4({.id = 9}, tcp(seq, payload)), ipv4({.id = 9}, tcp(ack, payload)),
          ipv4({.id = 9}, tcp(flags, payload)), ipv4({.id = 9}, tcp(window, payload)),
          ipv4({.id = 9}, tcp(port, payload)), ipv4({.id = 9}, tcp(base, other_begin)),
          ipv4({.id = 9}, tcp(base, counting(99))),
          ipv4({.source = "192.0.2.9", .id = 9}, tcp(base, payload)),
          ipv4({.target = "192.0.2.9", .id = 9}, tcp(base, payload)),
          ipv4({.id = 9}, udp({}, payload)), ipv6({}, tcp(base, payload))}) {
        Filter filter;
        EXPECT_FALSE(filter.is_copy(ipv4({.id = 9}, tcp(base, payload)), 0));
        EXPECT_FALSE(filter.is_copy(other, 100));
    }
}

TEST(Duplicates, WithoutAnIdOnlyWhatNobodySendsTwiceAtOnceCounts) {
    const auto second_is_copy = [](const Layer& packet, std::int64_t later_ns) {
        Filter filter;
        EXPECT_FALSE(filter.is_copy(packet, 0));
        return filter.is_copy(packet, later_ns);
    };
    const std::int64_t soon = 500 * kMicrosecond;
    for (const auto& wrap :
         {+[](const Layer& l4) { return ipv6({}, l4); },
          +[](const Layer& l4) { return ipv4({.id = 0, .dont_fragment = true}, l4); }}) {
        EXPECT_TRUE(second_is_copy(wrap(kData), soon));
        EXPECT_TRUE(
            second_is_copy(wrap(tcp({.flags = kSyn, .options = linux_syn_options()})), soon));
        EXPECT_TRUE(second_is_copy(wrap(tcp({.flags = kFin | kAck})), soon));
        EXPECT_TRUE(second_is_copy(wrap(udp({}, hello())), soon));
        // Duplicate acknowledgements look alike on purpose; a host answers each stray segment with
        // a reset.
        EXPECT_FALSE(second_is_copy(wrap(kAckOnly), soon));
        EXPECT_FALSE(second_is_copy(wrap(tcp({.flags = kRst | kAck})), soon));
        EXPECT_FALSE(second_is_copy(wrap(udp({})), soon));
        EXPECT_FALSE(second_is_copy(wrap(kData), 2 * kMillisecond));
        // The end of the payload counts as well.
        Bytes other_end = counting(100);
        other_end[97] = 0xff;
        Filter ends;
        EXPECT_FALSE(ends.is_copy(wrap(udp({}, counting(100))), 0));
        EXPECT_FALSE(ends.is_copy(wrap(udp({}, other_end)), 10));
        // The timestamp option tells a quick retransmission.
        Filter filter;
        Bytes options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 9};
        EXPECT_FALSE(filter.is_copy(wrap(tcp({.options = options}, hello())), 0));
        options[7] = 2;
        EXPECT_FALSE(filter.is_copy(wrap(tcp({.options = options}, hello())), soon));
    }
}

TEST(Duplicates, FramesOutOfTimeOrderAreStillCompared) {
    Filter filter;
    EXPECT_FALSE(filter.is_copy(ipv4({.id = 9}, kData), 1000));
    EXPECT_TRUE(filter.is_copy(ipv4({.id = 9}, kData), 0));
}

TEST(Duplicates, SwitchedOffItNeverSaysCopy) {
    DuplicateFilter off(0, 1);
    Decoder decoder{FragmentLimits{}};
    const Bytes frame = eth(ipv4({.id = 9}, kData)).bytes;
    PacketView packet;
    ASSERT_EQ(decode_exact(decoder, Exact(frame), frame.size(), LinkType::ethernet, packet),
              DecodeResult::ok);
    EXPECT_FALSE(off.is_copy(packet, {0}));
    EXPECT_FALSE(off.is_copy(packet, {0}));
}

TEST(Duplicates, ManyDifferentPacketsAreNoCopies) {
    Filter filter;
    for (std::uint32_t i = 0; i < 20000; ++i) {
        const auto id = static_cast<std::uint16_t>(1 + i % 60000);
        ASSERT_FALSE(filter.is_copy(ipv4({.id = id}, tcp({.seq = i * 5}, hello())), i * 100)) << i;
    }
}

}  // namespace
}  // namespace seine::wire
