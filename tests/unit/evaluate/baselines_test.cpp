// Plain baselines on worlds small enough to count on one's fingers.
#include "tools/evaluate/baselines.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/unit/evaluate/small_world.h"

namespace seine::evaluate {
namespace {

class Baselines : public ::testing::Test {
  protected:
    void see(std::uint32_t row, std::uint8_t address, const char* stack, std::uint32_t tcp_us = 0,
             std::uint32_t tls_us = 0) {
        model::Sighting s;
        s.first = true;
        s.flow.closed = true;
        s.flow.tuple.client = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, address};
        s.flow.ja4_norm = model::value_id(stack);
        s.flow.rtt_valid = tcp_us != 0;
        s.flow.rtt_tcp_us = tcp_us;
        s.flow.rtt_tls_us = tls_us;
        s.uses.resize(1);
        s.uses[0].account = truth_.rows[row].account;
        s.uses[0].requests = 1;
        ledger_.add(s);
    }
    WorldTruth truth_ = small_truth(4, 2, 0);
    Ledger ledger_{truth_};
};

TEST_F(Baselines, CountAccountsPerAddressAndStack) {
    see(0, 1, "x"), see(1, 1, "x"), see(2, 1, "y"), see(2, 1, "y"), see(3, 2, "x");
    EXPECT_EQ(accounts_per_token(ledger_, Channel::address),
              (std::vector<double>{3, 3, 3, 1, 0, 0}));
    EXPECT_EQ(accounts_per_token(ledger_, Channel::address_stack),
              (std::vector<double>{2, 2, 1, 1, 0, 0}));
    const std::vector<Baseline> all = baselines_of(ledger_);
    EXPECT_EQ(all.size(), 9u);
    EXPECT_EQ(all[0].scores, (std::vector<double>{3, 3, 3, 0, 0, 0}));  // one alone is no evidence
}

TEST_F(Baselines, SubKeysOfOneCustomerAreOneOrganisation) {
    truth_.rows[1].org = truth_.rows[0].org;
    see(0, 1, "x"), see(1, 1, "x"), see(2, 1, "x");
    EXPECT_EQ(organisations_per_address(ledger_), (std::vector<double>{2, 2, 2, 0, 0, 0}));
}

TEST_F(Baselines, ComponentsChainThroughAddresses) {
    see(0, 1, "x"), see(1, 1, "x"), see(1, 2, "x"), see(2, 2, "x"), see(3, 3, "x");
    EXPECT_EQ(shared_address_components(ledger_), (std::vector<double>{3, 3, 3, 1, 0, 0}));
}

TEST_F(Baselines, OracleKnowsTheShareOfFarmAccountsOnAStack) {
    see(0, 1, "x"), see(1, 2, "x"), see(4, 3, "x"), see(5, 4, "z"), see(4, 5, "z");
    const std::vector<double> scores = stack_block_list_oracle(ledger_);
    EXPECT_DOUBLE_EQ(scores[0], 1.0 / 4);
    EXPECT_DOUBLE_EQ(scores[4], 2.0 / 3);
    EXPECT_DOUBLE_EQ(scores[3], 0);
}

TEST_F(Baselines, JaccardWantsTwoSharedAddresses) {
    see(0, 1, "x"), see(1, 1, "x");                                  // one in common
    see(4, 2, "x"), see(4, 3, "x"), see(5, 2, "x"), see(5, 3, "x");  // two of two
    EXPECT_EQ(address_set_jaccard(ledger_), (std::vector<double>{1, 1, 0, 0, 2, 2}));
}

TEST_F(Baselines, ProxyScoreWantsThreeSamplesAndAGap) {
    for (int i = 0; i < 3; ++i) see(4, 1, "x", 10000, 90000), see(0, 2, "x", 50000, 50000);
    for (int i = 0; i < 2; ++i) see(5, 3, "x", 10000, 90000);
    const std::vector<double> scores = proxy_score(ledger_);
    EXPECT_DOUBLE_EQ(scores[4], 80 * std::log(9.0));
    EXPECT_EQ(scores[0], 0);
    EXPECT_EQ(scores[5], 0);
}

TEST_F(Baselines, DenseBlockOutlastsAChain) {
    // Rows 4 and 5 share four addresses, the others are joined by one each.
    see(0, 1, "a"), see(1, 1, "b"), see(1, 2, "b"), see(2, 2, "c"), see(2, 3, "c"), see(3, 3, "d");
    for (std::uint8_t a = 10; a < 14; ++a) see(4, a, "z"), see(5, a, "z");
    const std::vector<double> peeled = dense_subgraph(ledger_);
    const std::vector<double> grouped = communities(ledger_);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_GT(peeled[4], peeled[i]) << i;
        EXPECT_GT(grouped[4], grouped[i]) << i;
    }
    EXPECT_DOUBLE_EQ(grouped[4], grouped[5]);
}

}  // namespace
}  // namespace seine::evaluate
