// Reassembly: any order, overlaps, repeats, time limits and full tables.
#include "dataplane/wire/fragments.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/wire/frames.h"

namespace seine::wire {
namespace {

using synth::Bytes;
using synth::operator+;

FragmentKey key_of(std::uint32_t id, std::uint8_t version = 4) {
    const Bytes addresses = {10, 0, 0, 1, 10, 0, 0, 2};
    return {.source = Address::from_v4(addresses.data()),
            .target = Address::from_v4(addresses.data() + 4),
            .context = 0,
            .id = id,
            .ip_version = version,
            .protocol = static_cast<std::uint8_t>(version == 4 ? 17 : 0)};
}

struct Table {
    explicit Table(const FragmentLimits& limits = {}, std::uint8_t ip_version = 4)
        : table(limits, 7), version(ip_version) {}
    FragmentAnswer add(std::uint32_t id, std::size_t offset, const Bytes& bytes, bool more,
                       Nanos now = {}) {
        const Exact exact(bytes);
        return table.add({.key = key_of(id, version),
                          .header = {static_cast<std::uint8_t>(offset == 0 ? 61 : 99), 0, 17},
                          .offset_bytes = offset,
                          .more_fragments = more,
                          .bytes = exact.view()},
                         now, 0, whole, header);
    }
    FragmentTable table;
    std::uint8_t version;
    ByteView whole;
    FragmentHeader header{};
};

Bytes slice(const Bytes& bytes, std::size_t from, std::size_t to) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(to)};
}

void expect_whole(const Table& table, const Bytes& bytes) {
    ASSERT_EQ(table.whole.size(), bytes.size());
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), table.whole.begin()));
}

class BothVersions : public testing::TestWithParam<std::uint8_t> {};
INSTANTIATE_TEST_SUITE_P(Fragments, BothVersions, testing::Values(4, 6));

TEST_P(BothVersions, ComeTogetherInEveryOrder) {
    const Bytes whole = synth::counting(5 * 24 - 5);
    std::vector<std::size_t> order = {0, 1, 2, 3, 4};
    std::uint32_t id = 0;
    Table table({}, GetParam());
    do {
        ++id;
        for (std::size_t i = 0; i < order.size(); ++i) {
            const std::size_t from = order[i] * 24;
            const std::size_t to = std::min(from + 24, whole.size());
            const FragmentAnswer answer =
                table.add(id, from, slice(whole, from, to), to < whole.size());
            EXPECT_EQ(answer,
                      i + 1 < order.size() ? FragmentAnswer::held : FragmentAnswer::complete);
        }
        expect_whole(table, whole);
        EXPECT_EQ(table.header.ttl, 61);  // of the fragment at offset 0
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(table.table.counters().completed, 120u);
    EXPECT_EQ(table.table.pool_bytes_used(), 0u);
    EXPECT_EQ(table.table.datagram_count(), 0u);
}

TEST_P(BothVersions, TheLargestDatagramComesTogetherFromLargeAndSmallPieces) {
    const Bytes whole = synth::counting(65535);
    Table table({}, GetParam());
    std::mt19937 random(11);
    for (const std::size_t piece : {1480u, 9000u, 400u, 32768u}) {
        std::vector<std::size_t> starts;
        for (std::size_t at = 0; at < whole.size(); at += piece & ~std::size_t{7})
            starts.push_back(at);
        std::shuffle(starts.begin(), starts.end(), random);
        FragmentAnswer answer = FragmentAnswer::dropped;
        for (const std::size_t from : starts) {
            const std::size_t to = std::min(from + (piece & ~std::size_t{7}), whole.size());
            answer = table.add(static_cast<std::uint32_t>(piece), from, slice(whole, from, to),
                               to < whole.size());
        }
        EXPECT_EQ(answer, FragmentAnswer::complete) << piece;
        expect_whole(table, whole);
    }
}

TEST_P(BothVersions, ARepeatedFragmentIsADuplicate) {
    const Bytes whole = synth::counting(48);
    Table table({}, GetParam());
    EXPECT_EQ(table.add(1, 0, slice(whole, 0, 24), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 0, slice(whole, 0, 24), true), FragmentAnswer::duplicate);
    EXPECT_EQ(table.add(1, 24, slice(whole, 24, 48), false), FragmentAnswer::complete);
    expect_whole(table, whole);
    // The copy of the last one, a moment later, does not begin a new datagram.
    EXPECT_EQ(table.add(1, 24, slice(whole, 24, 48), false, {kMillisecond}),
              FragmentAnswer::duplicate);
    EXPECT_EQ(table.table.datagram_count(), 0u);
    // Later the id may be used again.
    EXPECT_EQ(table.add(1, 24, slice(whole, 24, 48), false, {kSecond}), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 0, slice(whole, 0, 24), true, {kSecond}), FragmentAnswer::complete);
}

TEST(Fragments, FirstByteReceivedStaysInIpv4) {
    Table table;
    EXPECT_EQ(table.add(1, 16, Bytes(16, 'b'), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 0, Bytes(24, 'a'), true), FragmentAnswer::held);  // overlaps 16..24
    EXPECT_EQ(table.add(1, 24, Bytes(24, 'c'), false),
              FragmentAnswer::complete);  // overlaps 24..32
    expect_whole(table, Bytes(16, 'a') + Bytes(16, 'b') + Bytes(16, 'c'));
    EXPECT_EQ(table.table.counters().overlaps_v4, 2u);
    EXPECT_EQ(table.table.counters().conflicts_v4, 2u);
}

TEST(Fragments, OneLongFragmentFillsSeveralGaps) {
    Table table;
    const Bytes whole = synth::counting(4000);
    EXPECT_EQ(table.add(1, 800, slice(whole, 800, 1600), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 2400, slice(whole, 2400, 3200), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 0, whole, false), FragmentAnswer::complete);
    expect_whole(table, whole);
    EXPECT_EQ(table.table.counters().conflicts_v4, 0u);
}

TEST(Fragments, OverlapDiscardsAnIpv6DatagramForGood) {
    Table table({}, 6);
    EXPECT_EQ(table.add(1, 0, Bytes(16, 'a'), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 8, Bytes(16, 'b'), true), FragmentAnswer::dropped);
    EXPECT_EQ(table.add(1, 24, Bytes(8, 'c'), false), FragmentAnswer::dropped);
    EXPECT_EQ(table.add(1, 0, Bytes(24, 'a'), true), FragmentAnswer::dropped);
    EXPECT_EQ(table.table.counters().overlaps_v6, 1u);
    EXPECT_EQ(table.table.counters().after_discard, 2u);
    EXPECT_EQ(table.table.pool_bytes_used(), 0u);
    // An overlap that agrees but brings new bytes is one as well (RFC 5722 section 4).
    EXPECT_EQ(table.add(2, 0, Bytes(16, 'a'), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(2, 8, Bytes(16, 'a'), true), FragmentAnswer::dropped);
}

TEST(Fragments, ImpossibleOnesAreRefused) {
    for (const std::uint8_t version : {std::uint8_t{4}, std::uint8_t{6}}) {
        Table table({}, version);
        EXPECT_EQ(table.add(1, 0, {}, true), FragmentAnswer::malformed);
        EXPECT_EQ(table.add(1, 65528, Bytes(8), false), FragmentAnswer::malformed);
        EXPECT_EQ(table.add(2, 65528, Bytes(7), false), FragmentAnswer::held);
        // Another end, or bytes past it.
        EXPECT_EQ(table.add(2, 65520, Bytes(7), false), FragmentAnswer::dropped);
        EXPECT_EQ(table.add(3, 16, Bytes(8), false), FragmentAnswer::held);
        EXPECT_EQ(table.add(3, 24, Bytes(8), true), FragmentAnswer::dropped);
        EXPECT_EQ(table.add(4, 64, Bytes(8), true), FragmentAnswer::held);
        EXPECT_EQ(table.add(4, 16, Bytes(8), false), FragmentAnswer::dropped);
        EXPECT_EQ(table.table.counters().bad_length, 3u);
    }
    // A length that is no multiple of eight before the end: cut down (IPv4) or refused (IPv6).
    Table v6({}, 6);
    EXPECT_EQ(v6.add(1, 0, Bytes(15), true), FragmentAnswer::malformed);
    Table v4;
    EXPECT_EQ(v4.add(1, 0, Bytes(7), true), FragmentAnswer::malformed);
    EXPECT_EQ(v4.add(1, 0, Bytes(15, 1), true), FragmentAnswer::held);
    EXPECT_EQ(v4.add(1, 8, Bytes(5, 2), false), FragmentAnswer::complete);
    expect_whole(v4, Bytes(8, 1) + Bytes(5, 2));
}

TEST(Fragments, ADatagramThatNeverCompletesIsGivenUpInTime) {
    Table table({.timeout_ns = 30 * kSecond});
    EXPECT_EQ(table.add(1, 0, Bytes(8), true, {0}), FragmentAnswer::held);
    EXPECT_EQ(table.add(2, 0, Bytes(8), true, {20 * kSecond}), FragmentAnswer::held);
    EXPECT_EQ(table.table.datagram_count(), 2u);
    table.table.expire({30 * kSecond});
    EXPECT_EQ(table.table.datagram_count(), 2u);
    table.table.expire({30 * kSecond + 1});
    EXPECT_EQ(table.table.datagram_count(), 1u);
    EXPECT_EQ(table.table.counters().timed_out, 1u);
    EXPECT_EQ(table.add(1, 8, Bytes(8), false, {31 * kSecond}), FragmentAnswer::held);
    // Time that falls back gives nothing up and breaks nothing.
    EXPECT_EQ(table.add(2, 8, Bytes(8), false, {5 * kSecond}), FragmentAnswer::complete);
}

TEST(Fragments, WhatBeganInATimeToComeIsGivenUp) {
    Table table({.timeout_ns = 30 * kSecond});
    EXPECT_EQ(table.add(1, 0, Bytes(8), true, {3600 * kSecond}), FragmentAnswer::held);
    EXPECT_EQ(table.add(2, 0, Bytes(8), true, {20 * kSecond}), FragmentAnswer::held);
    EXPECT_EQ(table.table.datagram_count(), 1u);
    EXPECT_EQ(table.table.counters().timed_out, 1u);
}

TEST(Fragments, TheOldestDatagramMakesRoomInAFullTable) {
    Table table({.datagrams_max = 4});
    for (std::uint32_t id = 0; id < 5; ++id) {
        EXPECT_EQ(table.add(id, 0, Bytes(8), true, {id}), FragmentAnswer::held);
    }
    EXPECT_EQ(table.table.datagram_count(), 4u);
    EXPECT_EQ(table.table.counters().evicted, 1u);
    EXPECT_EQ(table.add(4, 8, Bytes(8), false, {5}), FragmentAnswer::complete);
    // 0 begins anew; the completed one, kept for repeats, goes before any that waits.
    EXPECT_EQ(table.add(0, 8, Bytes(8), false, {6}), FragmentAnswer::held);
    EXPECT_EQ(table.table.counters().evicted, 1u);
    EXPECT_EQ(table.add(9, 0, Bytes(8), true, {7}), FragmentAnswer::held);
    EXPECT_EQ(table.table.counters().evicted, 2u);
}

// Captures are read without a secret seed; a search must stay short for datagrams that differ in one part of the key alone.
TEST(Fragments, KeysThatDifferInOnePartAloneDoNotMeet) {
    constexpr unsigned kDatagrams = 4096;
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{7}}) {
        for (int part = 0; part < 6; ++part) {
            FragmentTable table({.datagrams_max = kDatagrams}, seed);
            for (std::uint32_t i = 0; i < kDatagrams; ++i) {
                const Bytes high = {static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 0, 1};
                const Bytes low = {10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
                FragmentKey key = key_of(5);
                if (part == 0) key.source = Address::from_v4(low.data());
                if (part == 1) key.source = Address::from_v4(high.data());
                if (part == 2) key.target = Address::from_v4(low.data());
                if (part == 3) key.target = Address::from_v4(high.data());
                if (part == 4) key.id = i;
                if (part == 5) key.context = i;
                const Bytes bytes(8, 1);
                ByteView whole;
                FragmentHeader header;
                static_cast<void>(table.add({.key = key, .header = {}, .offset_bytes = 0, .more_fragments = true, .bytes = bytes},
                                            {}, 0, whole, header));
            }
            EXPECT_LE(table.longest_chain(), 10u) << "part " << part << ", seed " << seed;
        }
    }
}

TEST(Fragments, TheOldestDatagramMakesRoomInAFullPool) {
    Table table({.datagrams_max = 64, .pool_bytes = 8 * 2048});
    for (std::uint32_t id = 0; id < 20; ++id) {
        EXPECT_EQ(table.add(id, 0, Bytes(1480), true, {id}), FragmentAnswer::held);
        EXPECT_LE(table.table.pool_bytes_used(), 8u * 2048);
    }
    EXPECT_EQ(table.table.counters().evicted, 12u);
    EXPECT_EQ(table.table.datagram_count(), 8u);
    // One datagram larger than the whole pool is given up, and what it held is free again.
    FragmentAnswer answer = FragmentAnswer::held;
    for (std::size_t i = 0; i < 10 && answer == FragmentAnswer::held; ++i) {
        answer = table.add(100, i * 2000, Bytes(2000), true, {30});
    }
    EXPECT_EQ(answer, FragmentAnswer::dropped);
    EXPECT_EQ(table.table.counters().past_bound, 1u);
    EXPECT_EQ(table.table.pool_bytes_used(), 0u);
}

TEST(Fragments, TinyPiecesAreBounded) {
    Table table({.pieces_max = 100});
    std::size_t held = 0;
    // Every other eight bytes, so that none can be joined.
    while (table.add(1, held * 16, Bytes(8), true) == FragmentAnswer::held) ++held;
    EXPECT_EQ(held, 100u);
    EXPECT_EQ(table.table.counters().past_bound, 1u);
}

TEST(Fragments, ADatagramOverTheByteBoundIsGivenUp) {
    Table table({.datagram_bytes_max = 1000});
    EXPECT_EQ(table.add(1, 0, Bytes(800), true), FragmentAnswer::held);
    EXPECT_EQ(table.add(1, 800, Bytes(800), true), FragmentAnswer::dropped);
    EXPECT_EQ(table.table.counters().past_bound, 1u);
}

// Random fragments, overlaps and repeats against a plain model of "first byte wins".
TEST(Fragments, AgreesWithAByteModelOnRandomInput) {
    std::mt19937 random(5);
    const auto below = [&random](std::size_t bound) { return std::size_t{random()} % bound; };
    Table table({.datagrams_max = 8, .pool_bytes = 1 << 20});
    for (std::uint32_t id = 0; id < 400; ++id) {
        const std::size_t units = 1 + below(40);
        const std::size_t total = units * 8 - below(8);
        std::vector<int> model(total, -1);
        FragmentAnswer answer = FragmentAnswer::held;
        for (int step = 0; step < 400 && answer != FragmentAnswer::complete; ++step) {
            const std::size_t from = below(units) * 8;
            std::size_t to = from + 8 * (1 + below(6));
            const bool last = to >= total;
            to = std::min(to, total);
            const Bytes bytes = Bytes(to - from, static_cast<std::uint8_t>(below(256)));
            for (std::size_t i = from; i < to; ++i) {
                if (model[i] < 0) model[i] = bytes[0];
            }
            answer = table.add(id, from, bytes, !last, {id});
            ASSERT_NE(answer, FragmentAnswer::dropped);
        }
        ASSERT_EQ(answer, FragmentAnswer::complete);
        ASSERT_EQ(table.whole.size(), total);
        for (std::size_t i = 0; i < total; ++i) ASSERT_EQ(table.whole[i], model[i]);
    }
}

// Through the decoder.

DecodeResult feed(Decoder& decoder, const synth::Layer& ip, PacketView& packet, Nanos now = {}) {
    const Exact exact(synth::eth(ip).bytes);
    return decoder.decode(exact.view(), static_cast<std::uint32_t>(exact.view().size()),
                          LinkType::ethernet, now, packet);
}

TEST(DecodeFragments, BothVersionsYieldTheWholeSegment) {
    using namespace synth;
    const Bytes payload = counting(5000);
    for (const bool v6 : {false, true}) {
        Decoder decoder{FragmentLimits{}};
        const Layer segment = tcp({}, payload);
        auto pieces =
            v6 ? fragments6({}, 77, segment, 1232) : fragments4({.id = 77}, segment, 1480);
        std::reverse(pieces.begin(), pieces.end());
        PacketView packet;
        for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
            EXPECT_EQ(feed(decoder, pieces[i], packet), DecodeResult::fragment_held);
        }
        ASSERT_EQ(feed(decoder, pieces.back(), packet), DecodeResult::ok);
        EXPECT_TRUE(packet.fragmented);
        EXPECT_EQ(packet.ip_version, v6 ? 6 : 4);
        EXPECT_EQ(packet.source_port, 40000);
        ASSERT_EQ(packet.payload.size(), payload.size());
        EXPECT_TRUE(std::equal(payload.begin(), payload.end(), packet.payload.begin()));
        EXPECT_FALSE(packet.cut);
    }
}

TEST(DecodeFragments, FragmentsInsideFragmentsInsideATunnelComeTogether) {
    using namespace synth;
    const Bytes payload = counting(3000);
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    DecodeResult result = DecodeResult::not_ip;
    std::uint16_t outer_id = 100;
    for (const Layer& inner : fragments6({}, 5, tcp({}, payload), 1400)) {
        for (const Layer& outer :
             fragments4({.source = "10.0.0.1", .id = outer_id}, vxlan(9, eth(inner)), 600)) {
            result = feed(decoder, outer, packet);
        }
        ++outer_id;
    }
    ASSERT_EQ(result, DecodeResult::ok);
    EXPECT_EQ(packet.tunnel_count, 1);
    EXPECT_EQ(packet.tunnels[0].id, 9u);
    ASSERT_EQ(packet.payload.size(), payload.size());
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), packet.payload.begin()));
}

TEST(DecodeFragments, EqualIdsInOtherVlansAndTunnelsStayApart) {
    using namespace synth;
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    const auto red = fragments4({.id = 5}, tcp({}, Bytes(64, 'r')), 48);
    const auto blue = fragments4({.id = 5}, tcp({}, Bytes(64, 'b')), 48);
    EXPECT_EQ(feed(decoder, vlan(1, red[0]), packet), DecodeResult::fragment_held);
    EXPECT_EQ(feed(decoder, vlan(2, blue[0]), packet), DecodeResult::fragment_held);
    EXPECT_EQ(feed(decoder, outer_v4(gre(red[1])), packet), DecodeResult::fragment_held);
    ASSERT_EQ(feed(decoder, vlan(2, blue[1]), packet), DecodeResult::ok);
    EXPECT_EQ(as_text(packet.payload), std::string(64, 'b'));
    ASSERT_EQ(feed(decoder, vlan(1, red[1]), packet), DecodeResult::ok);
    EXPECT_EQ(as_text(packet.payload), std::string(64, 'r'));
}

TEST(DecodeFragments, ACutFragmentIsNotStored) {
    using namespace synth;
    Decoder decoder{FragmentLimits{}};
    const auto pieces = fragments4({.id = 5}, tcp({}, Bytes(64, 'r')), 48);
    const Exact cut(ByteView(eth(pieces[0]).bytes).first(50));
    PacketView packet;
    EXPECT_EQ(decoder.decode(cut.view(), 82, LinkType::ethernet, {}, packet),
              DecodeResult::truncated);
    EXPECT_EQ(decoder.fragments().datagram_count(), 0u);
}

TEST(DecodeFragments, TheIpv6ProtocolIsThatOfTheFirstFragment) {
    using namespace synth;
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    const Bytes segment = tcp({}, Bytes(40, 'x')).bytes;
    // RFC 8200 section 4.5: next header values of later fragments are not used.
    EXPECT_EQ(feed(decoder, ipv6({}, fragment6(8, 40, false, 58, slice(segment, 40, 60))), packet),
              DecodeResult::fragment_held);
    ASSERT_EQ(feed(decoder, ipv6({}, fragment6(8, 0, true, 6, slice(segment, 0, 40))), packet),
              DecodeResult::ok);
    EXPECT_EQ(packet.protocol, 6);
    // Extension headers may be part of what was fragmented.
    const Bytes chain = extension(60, udp({}, hello())).bytes;
    EXPECT_EQ(feed(decoder, ipv6({}, fragment6(9, 0, true, 60, slice(chain, 0, 16))), packet),
              DecodeResult::fragment_held);
    ASSERT_EQ(feed(decoder, ipv6({}, fragment6(9, 16, false, 60, slice(chain, 16, chain.size()))),
                   packet),
              DecodeResult::ok);
    EXPECT_EQ(as_text(packet.payload), "hello");
}

TEST(DecodeFragments, FragmentHeadersInOneAnotherAreBounded) {
    using namespace synth;
    // Each reassembled payload is the first fragment of one more datagram, whose rest came before.
    for (std::uint32_t depth = 1; depth < 12; ++depth) {
        Decoder decoder{FragmentLimits{}};
        PacketView packet;
        Layer inner = tcp({}, counting(12));
        for (std::uint32_t id = 0; id < depth; ++id) {
            const Bytes rest = slice(inner.bytes, 8, inner.bytes.size());
            EXPECT_EQ(
                feed(decoder, ipv6({}, fragment6(id, 8, false, inner.protocol, rest)), packet),
                DecodeResult::fragment_held);
            inner = fragment6(id, 0, true, inner.protocol, slice(inner.bytes, 0, 8));
        }
        EXPECT_EQ(feed(decoder, ipv6({}, inner), packet), depth <= FragmentTable::kNestingMax
                                                              ? DecodeResult::ok
                                                              : DecodeResult::tunnel_limit);
    }
}

}  // namespace
}  // namespace seine::wire
