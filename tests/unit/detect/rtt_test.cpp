// The round-trip gap on real relays: who must show it, and who must not.
#include "control/detect/rtt.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/detect/population.h"
#include "tests/unit/detect/corpus_gaps.h"
#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

// Connections of one (source address, stack) in a scenario. Direct clients have an address each: a
// scenario is one pool of them.
struct Pool {
    std::string scenario, via;
    std::uint32_t client_ms = 0, relay_ms = 0;
    GapHistogram gaps;
    std::vector<std::int64_t> gap_us;
    std::vector<std::uint32_t> late_us;
    std::uint32_t keys = 0;  // most that asked on one connection

    [[nodiscard]] bool direct() const { return via == "direct"; }
    // Relays that speak TLS themselves, and so have no gap to show.
    [[nodiscard]] bool intercepts() const {
        return via == "mitmproxy-intercept" || via == "reseller-nginx";
    }
    [[nodiscard]] bool apart() const { return client_ms > 0; }
};

template <typename T>
T middle_of(std::vector<T> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

std::vector<Pool> pools() {
    std::map<std::string, Pool> out;
    for (const test::CorpusGap& g : test::kCorpusGaps) {
        std::string name = std::string(g.scenario) + " " + g.via;
        if (std::string(g.via) != "direct")
            name += " " + std::to_string(g.source) + " " + std::to_string(g.stack);
        Pool& pool = out[name];
        pool.scenario = g.scenario;
        pool.via = g.via;
        pool.client_ms = g.client_ms;
        pool.relay_ms = g.relay_ms;
        pool.gaps.add(gap_bin(g.rtt_tcp_us, g.rtt_tls_us, 0));
        pool.gap_us.push_back(std::int64_t{g.rtt_tls_us} - g.rtt_tcp_us);
        pool.late_us.push_back(g.late_hello_us);
        pool.keys = std::max(pool.keys, g.keys);
    }
    std::vector<Pool> list;
    for (auto& [name, pool] : out) list.push_back(std::move(pool));
    return list;
}

// A population that is direct but for one account in fifty, as the direct pools of the corpus are.
GapBaseline direct_population() {
    GapBaseline baseline;
    for (const Pool& pool : pools()) {
        if (!pool.direct() || pool.gaps.total() < kGapSamplesMin) continue;
        for (int i = 0; i < 50; ++i) baseline.add(NetClass::residential, pool.gaps.bin());
    }
    for (std::size_t bin = 8; bin < kGapBins; ++bin) baseline.add(NetClass::residential, bin);
    return baseline;
}

// What a pool shows, strongest first; one sign is enough.
std::string verdict(const Pool& pool, bool known, double nats) {
    if (known && nats >= 1.5) return "relayed";
    if (pool.keys > 1) return std::to_string(pool.keys) + " accounts on one connection";
    if (known && middle_of(pool.late_us) >= kLateHelloUs) return "late hello";
    return known ? "no gap" : "too few";
}

// The table of relays: samples, gap, nats and verdict of every pool, held against its labels.
TEST(GapsOfTheCorpus, EachRelayShowsWhatItsKindAndDistanceAllow) {
    const GapBaseline baseline = direct_population();
    std::map<std::string, std::size_t> relayed, beside, intercepting;
    std::size_t direct = 0;
    std::printf("%-28s %-19s %9s %7s %9s %9s %6s  %s\n", "scenario", "via", "client ms", "samples",
                "gap ms", "hello ms", "nats", "verdict");
    for (const Pool& pool : pools()) {
        const bool known = pool.gaps.total() >= kGapSamplesMin;
        if (!known && pool.keys < 2) continue;
        const double nats = known ? baseline.nats(NetClass::residential, pool.gaps.bin()) : 0;
        const std::string says = verdict(pool, known, nats);
        std::printf("%-28s %-19s %4u + %2u %7u %9.1f %9.1f %+6.2f  %s\n", pool.scenario.c_str(),
                    pool.via.c_str(), pool.client_ms, pool.relay_ms, pool.gaps.total(),
                    static_cast<double>(middle_of(pool.gap_us)) / 1000,
                    middle_of(pool.late_us) / 1000.0, nats, says.c_str());
        if (pool.direct()) {
            EXPECT_LE(nats, 0) << pool.scenario;
            EXPECT_EQ(says, "no gap") << pool.scenario;
            ++direct;
        } else if (pool.intercepts()) {
            EXPECT_LE(nats, 0) << pool.scenario;
            if (pool.apart() || pool.via == "reseller-nginx") {
                EXPECT_NE(says, "no gap") << pool.scenario;
            }
            ++intercepting[pool.scenario];
        } else if (pool.apart()) {
            EXPECT_GE(nats, 1.5) << pool.scenario;
            EXPECT_EQ(says, "relayed") << pool.scenario;
            ++relayed[pool.via];
        } else {
            ++beside[pool.via];
        }
        // At zero distance nothing is called direct with confidence.
        EXPECT_GE(nats, -1.0) << pool.scenario;
    }
    for (const char* kind : {"squid-connect", "tinyproxy-connect", "microsocks-socks5",
                             "haproxy-tcp", "haproxy-ppv2"}) {
        EXPECT_GE(relayed[kind], 1u) << kind;
        EXPECT_GE(beside[kind], 1u) << kind;
    }
    EXPECT_EQ(relayed["squid-connect"], 4u);  // three distances, and the one of the mixed farm
    for (const char* scenario : {"s-mitmproxy-intercept-far", "s-mitmproxy-intercept-near",
                                 "s-reseller-nginx-far", "s-reseller-nginx-near"}) {
        EXPECT_GE(intercepting[scenario], 1u) << scenario;
    }
    EXPECT_GE(direct, 5u);
}

// The reseller's accounts come on one connection: detection ties them by it.
TEST(GapsOfTheCorpus, AResellersAccountsAreTiedByTheirConnection) {
    std::size_t seen = 0;
    for (const test::CorpusGap& g : test::kCorpusGaps) {
        if (std::string(g.via) != "reseller-nginx") continue;
        ++seen;
        Options options;
        options.sessions_max = options.exits_max = 1000;
        Observer observer(options);
        test::Visit v;
        v.account = 1;
        v.rtt_tcp_us = g.rtt_tcp_us;
        v.rtt_tls_us = g.rtt_tls_us;
        model::Sighting shared = test::sighting(v, 1, false);
        for (std::uint32_t k = 2; k <= g.keys; ++k) {
            v.account = k;
            shared.uses.push_back(test::sighting(v, 1, false).uses.front());
        }
        observer.take(shared);
        const Population population(observer, {test::kStart + kHour}, kDay, nullptr);
        ASSERT_GE(population.size(), 2u);
        for (std::size_t row = 0; row < population.size(); ++row) {
            bool tied = false;
            for (const std::uint32_t token : population.tokens_of(row)) {
                const SharedToken& t = population.tokens[token];
                tied = tied || (t.channel == Channel::shared && t.orgs == g.keys);
            }
            EXPECT_TRUE(tied) << g.scenario;
        }
    }
    EXPECT_EQ(seen, 2u);
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
