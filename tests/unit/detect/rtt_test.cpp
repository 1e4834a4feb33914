// The round-trip gap on real relays: who must show it, and who must not.
#include "control/detect/rtt.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/detect/observe.h"
#include "tests/unit/detect/corpus_gaps.h"

namespace seine::detect {
namespace {

struct Pool {
    std::string via;
    GapHistogram gaps;
};

// Samples by scenario, way and, for relays, source address.
std::map<std::string, Pool> pools() {
    std::map<std::string, Pool> out;
    for (const test::CorpusGap& g : test::kCorpusGaps) {
        // Direct clients have an address each: a scenario is one pool. Relays are pools of their own.
        const bool direct = std::string(g.via) == "direct";
        const std::string source = direct ? "" : std::to_string(g.source);
        Pool& pool = out[std::string(g.scenario) + " " + g.via + " " + source];
        pool.via = g.via;
        pool.gaps.add(gap_bin(g.rtt_tcp_us, g.rtt_tls_us, 0));
    }
    return out;
}

// A population that is direct but for one account in fifty, as the direct pools of the corpus are.
GapBaseline direct_population() {
    GapBaseline baseline;
    for (const auto& [name, pool] : pools()) {
        if (pool.via != "direct" || pool.gaps.total() < kGapSamplesMin) continue;
        for (int i = 0; i < 50; ++i) baseline.add(NetClass::residential, pool.gaps.bin());
    }
    for (std::size_t bin = 8; bin < kGapBins; ++bin) baseline.add(NetClass::residential, bin);
    return baseline;
}

TEST(GapsOfTheCorpus, RelaysAtADistanceShowAndDirectOnesDoNot) {
    const GapBaseline baseline = direct_population();
    std::size_t relays = 0, direct = 0;
    for (const auto& [name, pool] : pools()) {
        if (pool.gaps.total() < kGapSamplesMin) continue;
        const double nats = baseline.nats(NetClass::residential, pool.gaps.bin());
        const bool far = name.find("-near") == std::string::npos;
        std::printf("%-52s %2u samples  bin %2zu  %+.2f nats\n", name.c_str(), pool.gaps.total(),
                    pool.gaps.bin(), nats);
        if (pool.via == "direct") {
            EXPECT_LE(nats, 0) << name;
            ++direct;
        } else if (pool.via == "mitmproxy-intercept" || pool.via == "reseller-nginx") {
            EXPECT_LE(nats, 0) << name;  // they speak TLS themselves
        } else if (far) {
            EXPECT_GE(nats, 1.5) << name;
            ++relays;
        }
        EXPECT_GE(nats, kGapNatsMin) << name;  // at zero distance nothing is called direct
    }
    EXPECT_GE(relays, 8u);
    EXPECT_GE(direct, 5u);
}

// Relays that end TLS themselves show no gap; those that ask the client or another server first, at a
// distance, are late with their hello. Who comes direct is not.
TEST(GapsOfTheCorpus, AnInterceptingRelayIsLateWithItsHello) {
    std::map<std::string, std::vector<std::uint32_t>> late;
    for (const test::CorpusGap& g : test::kCorpusGaps) {
        late[std::string(g.scenario) + " " + g.via].push_back(g.late_hello_us);
    }
    std::size_t intercepting = 0, direct = 0;
    for (auto& [name, us] : late) {
        if (us.size() < kGapSamplesMin) continue;
        std::sort(us.begin(), us.end());
        const std::uint32_t middle = us[us.size() / 2];
        std::printf("%-46s %2zu hellos  %7.1f ms\n", name.c_str(), us.size(), middle / 1000.0);
        if (name == "s-mitmproxy-intercept-far mitmproxy-intercept") {
            EXPECT_GE(middle, kLateHelloUs);
            ++intercepting;
        } else if (name.find(" direct") != std::string::npos) {
            EXPECT_LT(middle, kLateHelloUs) << name;
            ++direct;
        }
    }
    EXPECT_EQ(intercepting, 1u);
    EXPECT_GE(direct, 5u);
}

TEST(GapBaseline, ACarrierThatSplitsTcpExcusesItsOwn) {
    GapBaseline baseline;
    const std::size_t gap = gap_bin(8'000, 62'000, 0), none = gap_bin(20'000, 22'000, 0);
    for (int i = 0; i < 600; ++i) baseline.add(NetClass::mobile, gap);
    for (int i = 0; i < 400; ++i) baseline.add(NetClass::mobile, none);
    for (int i = 0; i < 990; ++i) baseline.add(NetClass::residential, none);
    for (int i = 0; i < 10; ++i) baseline.add(NetClass::residential, gap);
    EXPECT_LT(baseline.nats(NetClass::mobile, gap), 0);
    EXPECT_GT(baseline.nats(NetClass::residential, gap), 2);
}

TEST(GapHistogram, OneLostPacketOrOneLuckySampleDoesNotMoveIt) {
    GapHistogram gaps;
    for (int i = 0; i < 5; ++i) gaps.add(gap_bin(20'000, 150'000, 0));
    const std::size_t bin = gaps.bin();
    gaps.add(gap_bin(20'000, 22'000, 0));
    EXPECT_EQ(gaps.bin(), bin);
    for (int i = 0; i < 1000; ++i) gaps.add(bin);
    EXPECT_EQ(gaps.bin(), bin);
}

TEST(StackCrypto, LearnsTheFastFloorOfAStackWithinItsTable) {
    StackCrypto crypto;
    for (std::uint32_t i = 0; i < 100; ++i) crypto.add(7, 3'200 + 10 * i);
    EXPECT_EQ(crypto.crypto_us(7), 3'000u);
    EXPECT_EQ(crypto.crypto_us(8), 0u);
    for (std::uint64_t s = 0; s < 2 * StackCrypto::kStacksMax; ++s) crypto.add(1000 + s, 1000);
    EXPECT_EQ(crypto.stacks(), StackCrypto::kStacksMax);
    EXPECT_GT(crypto.refused(), 0u);
}

}  // namespace
}  // namespace seine::detect
