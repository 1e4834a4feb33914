// Every stack of layers decodes to its innermost flow, whole, cut anywhere and with any byte
// changed.
#include "dataplane/wire/decode.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/wire/frames.h"

namespace seine::wire {
namespace {

using synth::Bytes;

void expect_flow(const NamedFrame& frame, const PacketView& packet) {
    const auto v4 = [](std::initializer_list<std::uint8_t> bytes) {
        return Address::from_v4(bytes.begin());
    };
    const Bytes first6 = synth::from_hex("20010db8000000000000000000000001");
    const Bytes last6 = synth::from_hex("20010db8000000000000000000000002");
    EXPECT_EQ(packet.ip_version, frame.v6 ? 6 : 4);
    EXPECT_EQ(packet.source, frame.v6 ? Address::from_v6(first6.data()) : v4({192, 0, 2, 1}));
    EXPECT_EQ(packet.target, frame.v6 ? Address::from_v6(last6.data()) : v4({198, 51, 100, 2}));
    EXPECT_EQ(packet.transport, frame.transport);
    EXPECT_EQ(packet.protocol, frame.transport == Transport::tcp ? 6 : 17);
    EXPECT_EQ(packet.source_port, 40000);
    EXPECT_EQ(packet.target_port, 443);
    EXPECT_EQ(packet.ttl, 64);
}

class EveryStack : public testing::TestWithParam<NamedFrame> {};
INSTANTIATE_TEST_SUITE_P(Decode, EveryStack, testing::ValuesIn(all_frames()),
                         [](const auto& stack) {
                             std::string name = stack.param.name;
                             std::replace_if(
                                 name.begin(), name.end(),
                                 [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                             return name;
                         });

TEST_P(EveryStack, YieldsTheInnermostFlow) {
    const NamedFrame& frame = GetParam();
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    const Exact exact(frame.bytes);
    const DecodeResult result =
        decode_exact(decoder, exact, frame.bytes.size(), frame.link, packet);
    ASSERT_EQ(result, DecodeResult::ok) << decode_result_name(result);
    expect_flow(frame, packet);
    EXPECT_EQ(as_text(packet.payload), "hello");
    EXPECT_EQ(packet.payload_wire_bytes, 5u);
    EXPECT_FALSE(packet.cut);
    EXPECT_FALSE(packet.options_cut);
    EXPECT_FALSE(packet.fragmented);
    if (packet.transport == Transport::tcp) {
        EXPECT_EQ(packet.seq, 1000u);
        EXPECT_EQ(packet.ack, 2000u);
        EXPECT_EQ(packet.window, 64240);
        EXPECT_EQ(packet.tcp_flags, kTcpAck | kTcpPsh);
    }
    ASSERT_EQ(packet.tunnel_count, frame.tunnels.size());
    for (std::size_t i = 0; i < frame.tunnels.size(); ++i)
        EXPECT_EQ(packet.tunnels[i].kind, frame.tunnels[i]);
    ASSERT_EQ(packet.vlan_count, frame.vlans.size());
    for (std::size_t i = 0; i < frame.vlans.size(); ++i) EXPECT_EQ(packet.vlans[i], frame.vlans[i]);
    ASSERT_EQ(packet.mpls_count, frame.labels.size());
    for (std::size_t i = 0; i < frame.labels.size(); ++i)
        EXPECT_EQ(packet.mpls_labels[i], frame.labels[i]);
    const bool ip_borne = !frame.tunnels.empty() && frame.tunnels[0] != TunnelKind::pseudowire;
    EXPECT_EQ(packet.has_outer, ip_borne);
}

// A cut frame yields the right flow with less payload, or says that it is cut; never another flow.
TEST_P(EveryStack, CutAnywhereIsSeenAsCut) {
    const NamedFrame& frame = GetParam();
    Decoder decoder{FragmentLimits{}};
    PacketView whole;
    const Exact exact(frame.bytes);
    ASSERT_EQ(decode_exact(decoder, exact, frame.bytes.size(), frame.link, whole),
              DecodeResult::ok);
    const auto payload_end =
        static_cast<std::size_t>(whole.payload.data() + whole.payload.size() - exact.view().data());
    for (std::size_t captured = 0; captured < frame.bytes.size(); ++captured) {
        SCOPED_TRACE(captured);
        const Exact part(ByteView(frame.bytes).first(captured));
        PacketView packet;
        const DecodeResult result =
            decode_exact(decoder, part, frame.bytes.size(), frame.link, packet);
        if (result != DecodeResult::ok) {
            EXPECT_EQ(result, DecodeResult::truncated) << decode_result_name(result);
            continue;
        }
        expect_flow(frame, packet);
        EXPECT_EQ(packet.payload_wire_bytes, 5u);
        EXPECT_EQ(packet.cut, captured < payload_end);
        const std::size_t missing = payload_end > captured ? payload_end - captured : 0;
        EXPECT_EQ(packet.payload.size(), missing > 5 ? 0 : 5 - missing);
    }
}

// The frame ends early and nobody knows that more was sent: no crash, no byte past the end.
TEST_P(EveryStack, EndingAnywhereIsSafe) {
    const NamedFrame& frame = GetParam();
    Decoder decoder{FragmentLimits{}};
    for (std::size_t captured = 0; captured < frame.bytes.size(); ++captured) {
        const Exact part(ByteView(frame.bytes).first(captured));
        PacketView packet;
        if (decode_exact(decoder, part, captured, frame.link, packet) != DecodeResult::ok) continue;
        EXPECT_LE(packet.payload.size(), captured);
        EXPECT_LE(packet.payload.size(), packet.payload_wire_bytes);
    }
}

// Every bit of every byte: some outcome, views inside the frame, and both paths agree.
TEST_P(EveryStack, AnyChangedBitIsSafe) {
    const NamedFrame& frame = GetParam();
    for (std::size_t i = 0; i < frame.bytes.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes changed = frame.bytes;
            changed[i] = static_cast<std::uint8_t>(changed[i] ^ (1 << bit));
            const Exact exact(changed);
            Decoder decoder{FragmentLimits{.datagrams_max = 4, .pool_bytes = 1 << 14}};
            PacketView packet;
            const DecodeResult result =
                decode_exact(decoder, exact, changed.size(), frame.link, packet);
            PacketView general;
            const DecodeResult other = decoder.decode_general(
                exact.view(), static_cast<std::uint32_t>(changed.size()), frame.link, {}, general);
            if (result != DecodeResult::ok) continue;
            ASSERT_EQ(other, result);
            EXPECT_EQ(general.source, packet.source);
            EXPECT_EQ(general.target_port, packet.target_port);
            EXPECT_EQ(general.payload.data(), packet.payload.data());
            EXPECT_EQ(general.payload.size(), packet.payload.size());
            EXPECT_EQ(general.payload_wire_bytes, packet.payload_wire_bytes);
            EXPECT_GE(packet.payload.data(), exact.view().data());
            EXPECT_LE(packet.payload.data() + packet.payload.size(),
                      exact.view().data() + changed.size());
        }
    }
}

// The frame stays until the next call, and so does what `packet` borrows.
DecodeResult decode_one(const Bytes& bytes, PacketView& packet) {
    static Decoder decoder{FragmentLimits{}};
    static std::unique_ptr<Exact> exact;
    exact = std::make_unique<Exact>(bytes);
    return decode_exact(decoder, *exact, bytes.size(), LinkType::ethernet, packet);
}
DecodeResult result_of(const synth::Layer& frame) {
    PacketView packet;
    return decode_one(frame.bytes, packet);
}

TEST(Decode, KeepsTunnelIdsAndOuterAddresses) {
    using namespace synth;
    PacketView packet;
    const auto id_of = [&packet](const Layer& tunnel) {
        EXPECT_EQ(decode_one(eth(outer_v4(tunnel)).bytes, packet), DecodeResult::ok);
        EXPECT_EQ(packet.tunnel_count, 1);
        return packet.tunnels[0].id;
    };
    const Layer frame = eth(inner_v4());
    EXPECT_EQ(id_of(vxlan(0xabcdef, frame)), 0xabcdefu);
    EXPECT_EQ(id_of(geneve(0x123456, frame)), 0x123456u);
    EXPECT_EQ(id_of(gtpu(0xdeadbeef, inner_v4())), 0xdeadbeefu);
    EXPECT_EQ(id_of(nvgre(0x424242, frame)), 0x424242u);
    EXPECT_EQ(id_of(erspan2(1023, frame)), 1023u);
    EXPECT_EQ(id_of(gre(inner_v4(), {.has_key = true, .key = 0x01020304})), 0x01020304u);
    EXPECT_EQ(id_of(pptp(777, ppp(inner_v4()))), 777u);
    const Bytes outer = {10, 1, 1, 1, 10, 2, 2, 2};
    EXPECT_EQ(packet.outer_source, Address::from_v4(outer.data()));
    EXPECT_EQ(packet.outer_target, Address::from_v4(outer.data() + 4));
    EXPECT_TRUE(packet.outer_source.is_mapped_v4());
    ASSERT_EQ(decode_one(eth(pppoe(0x1234, inner_v4())).bytes, packet), DecodeResult::ok);
    EXPECT_EQ(packet.pppoe_session, 0x1234);
}

TEST(Decode, OuterAddressesAreTheOutermost) {
    using namespace synth;
    PacketView packet;
    const Layer twice =
        synth::ipv4({.source = "10.9.9.9"}, vxlan(1, eth(outer_v4(gre(inner_v4())))));
    ASSERT_EQ(decode_one(eth(twice).bytes, packet), DecodeResult::ok);
    const Bytes outer = {10, 9, 9, 9};
    EXPECT_EQ(packet.outer_source, Address::from_v4(outer.data()));
}

TEST(Decode, SegmentationOffloadFramesHaveTheirBytes) {
    using namespace synth;
    const Bytes payload = counting(60000);
    PacketView packet;
    // Longer than any MTU, lengths right.
    ASSERT_EQ(decode_one(eth(ipv4({}, tcp({}, payload))).bytes, packet), DecodeResult::ok);
    EXPECT_EQ(packet.payload.size(), payload.size());
    // Total length 0: what was captured counts.
    for (const Layer& frame :
         {eth(ipv4({.total_bytes = 0}, tcp({}, payload))),
          eth(ipv6({.payload_bytes = 0}, tcp({}, payload))),
          eth(ipv6({.payload_bytes = 0}, udp({.length_bytes = 0}, payload)))}) {
        ASSERT_EQ(decode_one(frame.bytes, packet), DecodeResult::ok);
        EXPECT_EQ(packet.payload.size(), payload.size());
        EXPECT_FALSE(packet.cut);
    }
}

TEST(Decode, UdpLengthDecidesUdpPayload) {
    using namespace synth;
    PacketView packet;
    // Bytes behind the length are UDP options or padding.
    ASSERT_EQ(decode_one(eth(ipv4({}, udp({.length_bytes = 8 + 3}, hello()))).bytes, packet),
              DecodeResult::ok);
    EXPECT_EQ(as_text(packet.payload), "hel");
    EXPECT_EQ(result_of(eth(ipv4({}, udp({.length_bytes = 7}, hello())))),
              DecodeResult::malformed_udp);
    EXPECT_EQ(result_of(eth(ipv4({}, udp({.length_bytes = 0}, hello())))),
              DecodeResult::malformed_udp);
    EXPECT_EQ(result_of(eth(ipv4({}, udp({.length_bytes = 14}, hello())))),
              DecodeResult::malformed_udp);
}

TEST(Decode, NamesEachOutcome) {
    using namespace synth;
    const Layer arp = {.bytes = Bytes(28), .ether_type = 0x0806};
    EXPECT_EQ(result_of(eth(arp)), DecodeResult::not_ip);
    EXPECT_EQ(result_of(eth({.bytes = Bytes(40), .ether_type = 0x88cc})), DecodeResult::not_ip);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(1, counting(8))))), DecodeResult::not_tcp_udp);
    EXPECT_EQ(result_of(eth(ipv6({}, raw(58, counting(8))))), DecodeResult::not_tcp_udp);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(50, counting(60))))), DecodeResult::encrypted);
    EXPECT_EQ(result_of(eth(ipv6({}, raw(59, {})))), DecodeResult::not_tcp_udp);
    EXPECT_EQ(result_of(eth(ipv4({.total_bytes = 19}, tcp({})))), DecodeResult::malformed_ipv4);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(6, counting(19))))), DecodeResult::malformed_tcp);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(17, counting(7))))), DecodeResult::malformed_udp);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(97, counting(40))))), DecodeResult::malformed_tunnel);
    EXPECT_EQ(result_of(eth(ipv4({}, raw(47, {0x20, 1, 0x88})))), DecodeResult::malformed_tunnel);
    EXPECT_EQ(result_of({.bytes = {1, 2, 3}}), DecodeResult::malformed_link);
    Bytes short_header = eth(ipv4({}, tcp({}))).bytes;
    short_header[14] = 0x44;
    EXPECT_EQ(result_of({.bytes = short_header}), DecodeResult::malformed_ipv4);
    short_header[14] = 0x55;
    EXPECT_EQ(result_of({.bytes = short_header}), DecodeResult::malformed_ipv4);
    Bytes discovery = eth(pppoe(1, inner_v4())).bytes;
    discovery[15] = 9;
    EXPECT_EQ(result_of({.bytes = discovery}), DecodeResult::not_ip);
    discovery[14] = 0x22;
    EXPECT_EQ(result_of({.bytes = discovery}), DecodeResult::malformed_pppoe);
    for (std::size_t i = 0; i < kDecodeResultCount; ++i) {
        const auto result = static_cast<DecodeResult>(i);
        EXPECT_NE(decode_result_name(result), "?");
        EXPECT_FALSE(decode_result_meaning(result).empty());
    }
}

TEST(Decode, BoundsNesting) {
    using namespace synth;
    Layer tags = inner_v4();
    for (std::uint16_t i = 0; i < 5; ++i) tags = vlan(i, tags);
    EXPECT_EQ(result_of(eth(tags)), DecodeResult::vlan_limit);
    EXPECT_EQ(result_of(eth(mpls({1, 2, 3, 4, 5, 6, 7, 8, 9}, inner_v4()))),
              DecodeResult::mpls_limit);
    Layer chain = tcp({}, hello());
    for (int i = 0; i < 8; ++i) chain = extension(60, chain);
    EXPECT_EQ(result_of(eth(ipv6({}, chain))), DecodeResult::ok);
    EXPECT_EQ(result_of(eth(ipv6({}, extension(60, chain)))), DecodeResult::extension_limit);
    Layer nest = inner_v4();
    for (int i = 0; i < 4; ++i) nest = outer_v4(nest);
    EXPECT_EQ(result_of(eth(nest)), DecodeResult::ok);
    nest = outer_v4(nest);
    EXPECT_EQ(result_of(eth(nest)), DecodeResult::tunnel_limit);
    for (int i = 0; i < 200; ++i) nest = outer_v4(nest);
    EXPECT_EQ(result_of(eth(nest)), DecodeResult::tunnel_limit);
    Layer wires = inner_v4();
    for (int i = 0; i < 100; ++i) wires = mpls({7}, control_word(eth(wires)));
    EXPECT_EQ(result_of(eth(wires)), DecodeResult::tunnel_limit);
}

TEST(Decode, VxlanInVxlanFiveDeepIsBounded) {
    using namespace synth;
    Layer nest = inner_v4();
    for (int i = 0; i < 6; ++i) nest = outer_v4(vxlan(7, eth(nest)));
    PacketView packet;
    // The fifth is not looked into: it is a plain datagram.
    ASSERT_EQ(decode_one(eth(nest).bytes, packet), DecodeResult::ok);
    EXPECT_EQ(packet.tunnel_count, 4);
    EXPECT_EQ(packet.transport, Transport::udp);
    EXPECT_EQ(packet.target_port, 4789);
}

TEST(Decode, UdpAtATunnelPortWithoutATunnelIsPlainUdp) {
    using namespace synth;
    const std::uint16_t ports[] = {2152, 3544, 4754, 4789, 4790, 5072, 6081, 8472};
    // A QUIC long header, a DTLS record, a DNS query, zeros, and a VXLAN header with nonsense
    // inside.
    const Bytes payloads[] = {from_hex("c000000001088394c8f03e5157080000449e"),
                              from_hex("16fefd0000000000000000003001000024"),
                              from_hex("123401000001000000000000037777770000010001"),
                              Bytes(64, 0),
                              {},
                              from_hex("08000000 00002a00") + Bytes(40, 0xee),
                              from_hex("30ff0028 00000007") + Bytes(40, 0xee)};
    for (const std::uint16_t port : ports) {
        for (const Bytes& payload : payloads) {
            SCOPED_TRACE(port);
            PacketView packet;
            const Layer frame =
                eth(vlan(3, ipv4({}, udp({.source_port = 443, .target_port = port}, payload))));
            ASSERT_EQ(decode_one(frame.bytes, packet), DecodeResult::ok);
            EXPECT_EQ(packet.tunnel_count, 0);
            EXPECT_EQ(packet.vlan_count, 1);
            EXPECT_FALSE(packet.has_outer);
            EXPECT_EQ(packet.target_port, port);
            EXPECT_EQ(packet.payload.size(), payload.size());
            EXPECT_EQ(packet.source, Address::from_v4(Bytes{192, 0, 2, 1}.data()));
        }
    }
}

TEST(Decode, ATunnelThatCarriesNoIpIsNoDatagramOfAFlow) {
    using namespace synth;
    const Layer arp = eth({.bytes = Bytes(28), .ether_type = 0x0806});
    EXPECT_EQ(result_of(eth(outer_v4(vxlan(7, arp)))), DecodeResult::not_ip);
}

TEST(Decode, InnerLengthPastTheTunnelFallsBackToUdp) {
    using namespace synth;
    PacketView packet;
    const Layer frame = eth(outer_v4(vxlan(7, eth(ipv4({.total_bytes = 1400}, tcp({}, hello()))))));
    ASSERT_EQ(decode_one(frame.bytes, packet), DecodeResult::ok);
    EXPECT_EQ(packet.transport, Transport::udp);
    EXPECT_EQ(packet.tunnel_count, 0);
}

TEST(Decode, PseudowireWithAMacThatLooksLikeIp) {
    using namespace synth;
    PacketView packet;
    for (const char* mac : {"45:00:00:01:02:03", "60:11:22:33:44:55", "02:00:00:00:00:01"}) {
        SCOPED_TRACE(mac);
        const Layer frame = eth(inner_v4(), {.target = mac});
        ASSERT_EQ(decode_one(eth(mpls({100}, frame)).bytes, packet), DecodeResult::ok);
        EXPECT_EQ(packet.tunnel_count, 1);
        EXPECT_EQ(packet.source_port, 40000);
    }
}

TEST(Decode, CutOptionsAreToldAndThePayloadIsEmpty) {
    using namespace synth;
    const Bytes frame = eth(ipv4({}, tcp({.flags = kSyn, .options = linux_syn_options()}))).bytes;
    const Exact part(ByteView(frame).first(14 + 20 + 20 + 7));
    Decoder decoder{FragmentLimits{}};
    PacketView packet;
    ASSERT_EQ(decode_exact(decoder, part, frame.size(), LinkType::ethernet, packet),
              DecodeResult::ok);
    EXPECT_TRUE(packet.options_cut);
    EXPECT_EQ(packet.options.size(), 7u);
    EXPECT_TRUE(packet.payload.empty());
}

TEST(TcpOptions, WalksInWireOrderAndStopsAtABrokenLength) {
    const Bytes options = synth::linux_syn_options();
    TcpOptions walk(options);
    TcpOption option{};
    std::vector<int> kinds;
    Parse parse = walk.next(option);
    for (; parse == Parse::ok; parse = walk.next(option)) kinds.push_back(option.kind);
    EXPECT_EQ(parse, Parse::need_more);
    EXPECT_EQ(kinds, (std::vector<int>{2, 4, 8, 1, 3}));
    for (const Bytes& broken :
         {Bytes{2}, Bytes{2, 0}, Bytes{2, 1, 5}, Bytes{2, 4, 5}, Bytes{8, 255, 0, 0}}) {
        const Exact exact(broken);
        TcpOptions bad(exact.view());
        EXPECT_EQ(bad.next(option), Parse::malformed);
        EXPECT_EQ(bad.next(option), Parse::need_more);
    }
    const Bytes padded = {1, 0, 0, 4, 2};
    TcpOptions end(padded);
    kinds.clear();
    while (end.next(option) == Parse::ok) kinds.push_back(option.kind);
    EXPECT_EQ(kinds, (std::vector<int>{1, 0, 0, 4}));
}

TEST(LinkType, NumbersGoThereAndBack) {
    for (std::uint8_t i = 0; i < kLinkTypeCount; ++i) {
        const auto link = static_cast<LinkType>(i);
        LinkType back{};
        ASSERT_TRUE(link_type_of(link_type_number(link), back));
        EXPECT_EQ(back, link);
        EXPECT_NE(link_type_name(link), "?");
    }
    LinkType none = LinkType::nflog;
    EXPECT_FALSE(link_type_of(127, none));  // radiotap
    EXPECT_EQ(none, LinkType::nflog);
}

}  // namespace
}  // namespace seine::wire
