// How well a set of alerts fits the truth of a world (detection.md 10.3).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/evaluate/world_truth.h"

namespace seine::evaluate {

// What a detector says of one account; indexed by row of the truth.
struct Verdict {
    double score_nats = 0;
    bool alerted = false;
    std::optional<std::int64_t> first_alert_ns;
    std::string farm;  // label of its farm, empty: alone
};

struct CampaignGrade {
    std::string name;
    std::uint64_t accounts = 0;
    std::uint64_t found = 0;
    // Hours from the campaign's first exchange in the window until that share of its accounts was
    // alerted; negative: never.
    double hours_to_half = -1;
    double hours_to_nine_tenths = -1;
    [[nodiscard]] double recall() const {
        return accounts == 0 ? 0 : static_cast<double>(found) / static_cast<double>(accounts);
    }
};

// Counts that a plain baseline can be judged by too.
struct Rates {
    std::uint64_t farm_accounts = 0;  // active in the window
    std::uint64_t benign_accounts = 0;
    std::uint64_t hits = 0;
    std::uint64_t false_positives = 0;
    double recall = 0;
    std::optional<double> precision;  // none: nothing was alerted
    double fp_per_million_day = 0;
    std::vector<CampaignGrade> campaigns;
};

struct Grade {
    Rates rates;
    std::optional<double> ari;  // of labels over alerted farm accounts
    double purity = 0;          // share of alerted farm accounts in a farm mostly of their operator
    double completeness = 0;    // share that is in their operator's largest farm
    double pair_f1 = 0;
    std::uint64_t farms = 0;         // labels with a farm account in them
    std::uint64_t farms_benign = 0;  // labels without one
    std::optional<double> exchanges_to_alert_median;
    std::map<std::string, std::uint64_t> farm_exchanges_before_first_alert;
    std::optional<double>
        prevented_share;  // of farm exchanges, if acted upon an hour after the alert
    std::uint64_t replacements = 0;
    std::optional<double> replacements_linked_24h;
    std::map<std::string, std::uint64_t> false_positives_by_confounder;
};

// Accounts that are not active in the window count on neither side.
Rates rates_of(const std::vector<bool>& flagged, const WorldTruth& truth);
Grade grade(const std::vector<Verdict>& verdicts, const WorldTruth& truth);

// Adjusted Rand index of two labellings given as pairs; none for fewer than two pairs, 1 where
// there is nothing to tell apart.
std::optional<double> adjusted_rand(
    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs);
std::optional<double> median(std::vector<double> values);

// The best rows by score until one more benign row would exceed `allowed`. Only scores above 0
// count; equal scores are taken in the order of the CRC-32 of the tag's text.
std::vector<bool> flag_with_at_most(const std::vector<double>& scores, const WorldTruth& truth,
                                    std::uint64_t allowed);

}  // namespace seine::evaluate
