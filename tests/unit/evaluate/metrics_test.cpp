// Metrics against cases worked out by hand.
#include "tools/evaluate/metrics.h"

#include <gtest/gtest.h>

#include "dataplane/base/clock.h"
#include "tests/unit/evaluate/small_world.h"

namespace seine::evaluate {
namespace {

constexpr std::int64_t kHour = 3600 * kSecond;

Verdict alert(const std::string& farm, std::int64_t at) {
    Verdict v;
    v.alerted = true;
    v.score_nats = 9;
    v.farm = farm;
    v.first_alert_ns = at;
    return v;
}

TEST(Metrics, AdjustedRandOfKnownTables) {
    EXPECT_DOUBLE_EQ(*adjusted_rand({{1, 1}, {1, 1}, {2, 2}, {2, 2}}), 1.0);
    // One of four in the wrong place: index 1, pairs of rows 2, of columns 3, of all 6; expected 1.
    EXPECT_DOUBLE_EQ(*adjusted_rand({{1, 1}, {1, 1}, {2, 1}, {2, 2}}), 0.0);
    // Everything in one: nothing agrees beyond chance.
    EXPECT_DOUBLE_EQ(*adjusted_rand({{1, 1}, {1, 1}, {2, 1}, {2, 1}}), 0.0);
    EXPECT_DOUBLE_EQ(*adjusted_rand({{1, 1}, {1, 1}}), 1.0);
    EXPECT_FALSE(adjusted_rand({{1, 1}}).has_value());
}

TEST(Metrics, MedianOfOddAndEven) {
    EXPECT_FALSE(median({}).has_value());
    EXPECT_DOUBLE_EQ(*median({3, 1, 2}), 2);
    EXPECT_DOUBLE_EQ(*median({4, 1, 2, 3}), 2.5);
}

TEST(Metrics, RatesCountActiveAccountsAlone) {
    WorldTruth truth = small_truth(1000, 4, 2, 2);
    truth.rows[0].active = false;
    truth.rows[1005].active = false;  // of B
    std::vector<bool> flagged(truth.rows.size());
    flagged[1] = flagged[1000] = flagged[1001] = flagged[1004] = true;
    const Rates rates = rates_of(flagged, truth);
    EXPECT_EQ(rates.benign_accounts, 999u);
    EXPECT_EQ(rates.farm_accounts, 5u);
    EXPECT_DOUBLE_EQ(rates.recall, 3.0 / 5);
    EXPECT_DOUBLE_EQ(*rates.precision, 3.0 / 4);
    EXPECT_DOUBLE_EQ(rates.fp_per_million_day, 1e6 / 999 / 2);
    ASSERT_EQ(rates.campaigns.size(), 2u);
    EXPECT_DOUBLE_EQ(rates.campaigns[0].recall(), 0.5);
    EXPECT_DOUBLE_EQ(rates.campaigns[1].recall(), 1.0);
}

TEST(Metrics, NothingAlertedHasNoPrecisionAndNoFarms) {
    const WorldTruth truth = small_truth(10, 2, 2);
    const Grade g = grade(std::vector<Verdict>(truth.rows.size()), truth);
    EXPECT_EQ(g.rates.recall, 0);
    EXPECT_FALSE(g.rates.precision.has_value());
    EXPECT_FALSE(g.ari.has_value());
    EXPECT_FALSE(g.exchanges_to_alert_median.has_value());
    EXPECT_EQ(g.farms, 0u);
}

TEST(Metrics, ExchangesUntilAlertAndThosePrevented) {
    WorldTruth truth = small_truth(2, 2, 1);
    // Row 2: 3 before its alert, 5 at it, 7 within the hour, 11 later. Row 3: 2 before. Row 4:
    // never alerted.
    truth.uses = {{2, 3, 0},         {3, 2, 1},          {2, 5, kHour},
                  {2, 7, 2 * kHour}, {4, 13, 2 * kHour}, {2, 11, 2 * kHour + 1}};
    std::vector<Verdict> verdicts(truth.rows.size());
    verdicts[2] = alert("F-1", kHour);
    verdicts[3] = alert("F-1", 2 * kHour);
    verdicts[0] = alert("F-2", 5);
    truth.rows[0].confounder = 5;
    const Grade g = grade(verdicts, truth);
    EXPECT_DOUBLE_EQ(*g.exchanges_to_alert_median, (8.0 + 2.0) / 2);
    EXPECT_DOUBLE_EQ(*g.prevented_share, 11.0 / 41);
    EXPECT_EQ(g.farm_exchanges_before_first_alert.at("op-a"), 10u);
    EXPECT_EQ(g.false_positives_by_confounder.at("campus"), 1u);
    EXPECT_EQ(g.farms, 1u);
    EXPECT_EQ(g.farms_benign, 1u);
    EXPECT_DOUBLE_EQ(g.rates.campaigns[0].hours_to_half, 1.0);
    EXPECT_DOUBLE_EQ(g.rates.campaigns[0].hours_to_nine_tenths, 2.0);
    EXPECT_LT(g.rates.campaigns[1].hours_to_half, 0);
}

TEST(Metrics, MergedOperatorsArePureInNoFarm) {
    const WorldTruth truth = small_truth(0, 3, 1);
    std::vector<Verdict> verdicts(4, alert("F-1", 1));
    const Grade g = grade(verdicts, truth);
    EXPECT_DOUBLE_EQ(g.purity, 0.75);
    EXPECT_DOUBLE_EQ(g.completeness, 1.0);
    // 3 pairs are right, 6 are claimed, 3 are there.
    EXPECT_DOUBLE_EQ(g.pair_f1, 2 * 3.0 / 9);
}

TEST(Metrics, ReplacementsAreLinkedUnderTheMainLabelWithinADay) {
    WorldTruth truth = small_truth(0, 6, 0);
    truth.rows[4].replaces = 0;
    truth.rows[5].replaces = 1;
    truth.uses = {{0, 1, 0}, {4, 1, kHour}, {5, 1, kHour}};
    std::vector<Verdict> verdicts(6, alert("F-1", 2 * kHour));
    verdicts[5].first_alert_ns = 26 * kHour;
    EXPECT_DOUBLE_EQ(*grade(verdicts, truth).replacements_linked_24h, 0.5);
    verdicts[4].farm = "F-2";
    EXPECT_DOUBLE_EQ(*grade(verdicts, truth).replacements_linked_24h, 0.0);
}

TEST(Metrics, FlagsStopBeforeOneBenignTooMany) {
    const WorldTruth truth = small_truth(3, 3, 0);
    //                                   benign     farm
    const std::vector<double> scores = {5, 1, 0, 9, 3, 0};
    const auto rows = [&](std::uint64_t allowed) {
        std::vector<int> out;
        const std::vector<bool> flagged = flag_with_at_most(scores, truth, allowed);
        for (int i = 0; i < 6; ++i) {
            if (flagged[static_cast<std::size_t>(i)]) out.push_back(i);
        }
        return out;
    };
    EXPECT_EQ(rows(0), (std::vector<int>{3}));
    EXPECT_EQ(rows(1), (std::vector<int>{0, 3, 4}));
    EXPECT_EQ(rows(9), (std::vector<int>{0, 1, 3, 4}));
}

}  // namespace
}  // namespace seine::evaluate
