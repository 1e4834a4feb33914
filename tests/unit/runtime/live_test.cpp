// Live input: who owns a packet, rings between workers, a clean end, and what interfaces need.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "dataplane/runtime/interface.h"
#include "dataplane/runtime/live_plan.h"
#include "dataplane/runtime/live_source.h"
#include "dataplane/runtime/worker.h"
#include "tests/unit/runtime/captures.h"
#include "tools/synth/packet_builder.h"

namespace seine::runtime {
namespace {

using runtime_test::Made;
using runtime_test::Seen;
using runtime_test::udp_frame;
using wire::LinkType;

constexpr Nanos kStart{1'700'000'000'000'000'000};

bool plain(const synth::Layer& layer) { return plain_flow(layer.bytes, LinkType::ethernet); }

synth::Layer tcp_between(std::uint16_t one, std::uint16_t two) {
    return synth::tcp({.source_port = one, .target_port = two});
}
synth::Layer udp_between(std::uint16_t one, std::uint16_t two) {
    return synth::udp({.source_port = one, .target_port = two}, synth::bytes_of("payload"));
}

TEST(PlainFlow, IsIpWithTcpOrUdpUnderAtMostTwoTags) {
    using namespace synth;
    EXPECT_TRUE(plain(eth(ipv4({}, tcp_between(1, 2)))));
    EXPECT_TRUE(plain(eth(ipv6({}, udp_between(1, 2)))));
    EXPECT_TRUE(plain(eth(vlan(7, ipv4({}, tcp_between(1, 2))))));
    EXPECT_TRUE(plain(eth(vlan(8, vlan(7, ipv4({}, tcp_between(1, 2))), 0x88a8))));
    EXPECT_TRUE(plain(eth(ipv4({.options = from_hex("0101 0101")}, tcp_between(1, 2)))));
    EXPECT_TRUE(plain_flow(ipv4({}, tcp_between(1, 2)).bytes, LinkType::raw_ip));
    EXPECT_FALSE(plain(eth(vlan(9, vlan(8, vlan(7, ipv4({}, tcp_between(1, 2))))))));
    EXPECT_FALSE(plain(eth(ipv4({.more_fragments = true}, tcp_between(1, 2)))));
    EXPECT_FALSE(plain(eth(ipv4({.offset_bytes = 64}, tcp_between(1, 2)))));
    EXPECT_FALSE(plain(eth(ipv4({}, ipv4({}, tcp_between(1, 2))))));
    EXPECT_FALSE(plain(eth(mpls({16}, ipv4({}, tcp_between(1, 2))))));
}

TEST(PlainFlow, AnswersAlikeInBothDirectionsOfATunnelPort) {
    using namespace synth;
    for (const unsigned number : {2152u, 3544u, 4754u, 4789u, 4790u, 5072u, 6081u, 8472u}) {
        const auto port = static_cast<std::uint16_t>(number);
        EXPECT_FALSE(plain(eth(ipv4({}, udp_between(50000, port))))) << number;
        EXPECT_FALSE(plain(eth(ipv4({}, udp_between(port, 50000))))) << number;
    }
}

TEST(PlainFlow, NeverReadsPastTheFrame) {
    const auto whole = synth::eth(synth::vlan(7, synth::ipv6({}, udp_between(1, 2)))).bytes;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        const std::vector<std::uint8_t> cut(whole.begin(),
                                            whole.begin() + static_cast<std::ptrdiff_t>(bytes));
        static_cast<void>(plain_flow(cut, LinkType::ethernet));
        static_cast<void>(plain_flow(cut, LinkType::raw_ip));
    }
}

TEST(Handover, KeepsPlainFlowsWhereASymmetricPortPutThem) {
    const Handover handover(4, 16);
    for (unsigned at = 0; at < 4; ++at) {
        EXPECT_EQ(handover.owner(udp_frame(100, 5), LinkType::ethernet, true, at), at);
    }
}

TEST(Handover, NamesOneOwnerForBothDirectionsWhereverTheyArrive) {
    const Handover handover(4, 16);
    std::set<unsigned> used;
    for (unsigned flow = 0; flow < 64; ++flow) {
        const unsigned owner =
            handover.owner(udp_frame(100, flow), LinkType::ethernet, false, flow % 4);
        EXPECT_EQ(handover.owner(udp_frame(300, flow, true), LinkType::ethernet, false, 1), owner);
        used.insert(owner);
    }
    EXPECT_EQ(used.size(), 4u);
}

TEST(Handover, LooksIntoTunnelsAndKeepsFragmentsTogether) {
    using namespace synth;
    const Handover handover(16, 16);
    const auto owner = [&](const Layer& layer, unsigned at) {
        return handover.owner(layer.bytes, LinkType::ethernet, true, at);
    };
    const auto there = ipv4({.source = "10.0.0.1", .target = "10.0.0.2"}, tcp_between(40000, 443));
    const auto back = ipv4({.source = "10.0.0.2", .target = "10.0.0.1"}, tcp_between(443, 40000));
    EXPECT_EQ(owner(eth(ipv4({.source = "192.0.2.1", .target = "192.0.2.2"}, there)), 3),
              owner(eth(ipv4({.source = "192.0.2.9", .target = "192.0.2.8"}, back)), 5));
    Layer tail = udp_between(1, 2);
    EXPECT_EQ(owner(eth(ipv4({.id = 77, .more_fragments = true}, udp_between(1, 2))), 3),
              owner(eth(ipv4({.id = 77, .offset_bytes = 64}, tail)), 9));
}

// Two queues of one pcap device stand in for two queues of a port.
class Live : public ::testing::Test {
  protected:
    void SetUp() override {
        for (unsigned i = 0; i < 4000; ++i) {
            halves_[i % 2].push_back({udp_frame(60 + i % 200, i / 3 % 50, i % 3 == 1),
                                      kStart + static_cast<std::int64_t>(i), 0});
        }
        PoolConfig pool;
        pool.name = "live-test";
        pool.packets = 8191;
        auto made = Pool::make(pool);
        ASSERT_TRUE(made) << made.error().message();
        pool_ = std::move(*made);
        PortConfig config;
        config.label = "two queues";
        config.device = "net_pcap_live";
        config.queues = 2;
        config.arguments =
            "rx_pcap=" + runtime_test::write_capture("queue0.pcap", halves_[0]) +
            ",rx_pcap=" + runtime_test::write_capture("queue1.pcap", halves_[1]);
        auto port = Port::open(config, *pool_);
        ASSERT_TRUE(port) << port.error().message();
        port_ = std::move(*port);
        for (unsigned i = 0; i < 2; ++i) {
            WorkerConfig worker;
            worker.index = i;
            worker.inspector.worker = static_cast<std::uint16_t>(i);
            auto one = Worker::make(worker);
            ASSERT_TRUE(one);
            workers_.push_back(std::move(*one));
        }
    }
    void run(Handover& handover, bool symmetric) {
        std::vector<std::unique_ptr<LiveSource>> sources;
        for (unsigned i = 0; i < 2; ++i) {
            sources.push_back(std::make_unique<LiveSource>(
                i, std::vector<LivePort>{{port_.get(), LinkType::ethernet, symmetric}}, clock_, handover,
                workers_[i]->counters()));
        }
        // Asked to stop before they begin: what the port holds is still taken, then they end.
        handover.stop();
        std::thread other([&] { workers_[1]->run(*sources[1]); });
        workers_[0]->run(*sources[0]);
        other.join();
        for (const auto& worker : workers_) {
            for (ByteView record = worker->records().front(); !record.empty();
                 record = worker->records().front()) {
                const Seen seen = runtime_test::seen_of(record);
                worker->records().release();
                if (seen.kind == 0) seen_.push_back(seen);
            }
        }
    }
    std::uint64_t count(WorkerCounter counter) {
        return workers_[0]->counters().get(counter) + workers_[1]->counters().get(counter);
    }

    std::vector<Made> halves_[2];
    std::unique_ptr<Pool> pool_;
    std::unique_ptr<Port> port_;
    std::vector<std::unique_ptr<Worker>> workers_;
    TscClock clock_;
    std::vector<Seen> seen_;
};

TEST_F(Live, HandsPacketsOfAnotherWorkerOverAndLosesNoneAtTheEnd) {
    Handover handover(2, 4096);
    run(handover, false);
    EXPECT_EQ(seen_.size(), 4000u);
    EXPECT_GT(count(WorkerCounter::packets_handed_over), 1000u);
    EXPECT_EQ(count(WorkerCounter::packets_handed_over), count(WorkerCounter::packets_taken_over));
    EXPECT_EQ(count(WorkerCounter::handover_dropped), 0u);
    std::map<std::uint64_t, unsigned> owner_of_frame;
    for (const auto& half : halves_) {
        for (const Made& frame : half) {
            owner_of_frame[hash64(frame.bytes, 1)] =
                handover.owner(frame.bytes, LinkType::ethernet, false, 0);
        }
    }
    for (const Seen& seen : seen_) {
        ASSERT_EQ(seen.worker, owner_of_frame.at(seen.hash));
        EXPECT_GT(seen.time, kStart.count) << "live packets bear the time they were received at";
    }
}

TEST_F(Live, LeavesPlainFlowsOfASymmetricPortAlone) {
    Handover handover(2, 4096);
    run(handover, true);
    EXPECT_EQ(seen_.size(), 4000u);
    EXPECT_EQ(count(WorkerCounter::packets_handed_over), 0u);
    std::size_t at_first = 0;
    for (const Seen& seen : seen_) at_first += seen.worker == 0 ? 1 : 0;
    EXPECT_EQ(at_first, halves_[0].size());
}

TEST_F(Live, CountsWhatFindsNoRoomAndFreesIt) {
    Handover handover(2, 2);
    const std::uint32_t free_before = pool_->free_count();
    run(handover, false);
    EXPECT_EQ(seen_.size() + count(WorkerCounter::handover_dropped), 4000u);
    EXPECT_EQ(pool_->free_count(), free_before) << "every buffer is back";
}

TEST(Interface, LoopbackIsReadAsEthernet) {
    const auto facts = look_at_interface("lo");
    ASSERT_TRUE(facts) << facts.error().message();
    EXPECT_EQ(facts->link, LinkType::ethernet);
    EXPECT_GT(facts->mtu, 0u);
}

TEST(Interface, MissingOnesAreNamedWithTheRemedy) {
    for (const char* name : {"nosuchif0", "", "a-name-that-is-far-too-long-for-the-kernel"}) {
        const auto facts = look_at_interface(name);
        ASSERT_FALSE(facts);
        EXPECT_EQ(facts.error().code(), Code::not_found);
        EXPECT_NE(facts.error().message().find("ip link"), std::string::npos);
    }
}

TEST(Interface, OffloadsBecomeOneEthtoolCommand) {
    InterfaceFacts facts;
    facts.name = "eth7";
    EXPECT_EQ(facts.remedy(), "");
    EXPECT_FALSE(facts.merges());
    facts.offloads = {"tx"};
    EXPECT_FALSE(facts.merges()) << "an unfinished checksum does not change what is read";
    facts.offloads = {"tso", "gro"};
    EXPECT_TRUE(facts.merges());
    EXPECT_EQ(facts.remedy(), "ethtool -K eth7 tso off gro off");
}

TEST(KernelRing, FramesHoldWhatTheInterfaceCanDeliver) {
    InterfaceFacts facts;
    facts.mtu = 1500;
    EXPECT_EQ(ring_for(facts).frame_bytes, 2048u);
    EXPECT_EQ(ring_for(facts).frames, 16384u);
    EXPECT_EQ(ring_for(facts).arguments("eth0", 2),
              "iface=eth0,qpairs=2,framecnt=16384,blocksz=65536,framesz=2048");
    facts.mtu = 9000;
    EXPECT_EQ(ring_for(facts).frame_bytes, 16384u);
    facts.mtu = 1500;
    facts.offloads = {"gso"};
    EXPECT_GE(ring_for(facts).packet_bytes(), 45u * 1448u + 66u);
    for (const std::uint32_t mtu : {68u, 1500u, 1930u, 1931u, 4000u, 9000u, 30000u, 65535u}) {
        facts.offloads.clear();
        facts.mtu = mtu;
        const KernelRing ring = ring_for(facts);
        EXPECT_EQ(ring.block_bytes % ring.frame_bytes, 0u) << mtu;
        EXPECT_EQ(ring.block_bytes % 4096, 0u) << mtu;
        EXPECT_EQ(ring.frame_bytes % 16, 0u) << mtu;
        EXPECT_EQ(ring.frames % (ring.block_bytes / ring.frame_bytes), 0u) << mtu;
    }
}

TEST(KernelRing, ShrinksToWhatMayBeLocked) {
    InterfaceFacts facts;
    facts.mtu = 1500;
    KernelRing ring = ring_for(facts, 8u << 20);
    EXPECT_LE(2ull * ring.frames * ring.frame_bytes, 8u << 20);
    EXPECT_GE(ring.frames, 2000u);
    ring = ring_for(facts, 0);
    EXPECT_EQ(ring.frames, 32u) << "one block at least";
    facts.offloads = {"tso"};
    ring = ring_for(facts, 8u << 20);
    EXPECT_LE(2ull * ring.frames * ring.frame_bytes, 8u << 20);
}

TEST(LivePlan, SplitsTheFibresOfATap) {
    const auto plan = plan_live({{LiveKind::device, "0000:03:00.0+0000:03:00.1", false}}, 2);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->inputs.size(), 2u);
    EXPECT_EQ(plan->inputs[1].name, "0000:03:00.1");
    EXPECT_TRUE(plan->devices);
}

}  // namespace
}  // namespace seine::runtime
