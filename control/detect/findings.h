// What a sweep found: groups with their profile, verdict, thresholds and members.
#pragma once
#include <memory>
#include <vector>

#include "control/detect/calibrate.h"
#include "control/detect/seeds.h"
#include "control/detect/verdict.h"

namespace seine::detect {

struct Group {
    std::unique_ptr<Profile> profile;
    std::unique_ptr<Thresholds> thresholds;
    Verdict verdict;
    std::vector<std::uint32_t> members;  // rows above their threshold, rising
    std::vector<double> scores;          // of the members
    std::vector<std::uint32_t> part;     // campaign of each member
    std::uint32_t parts = 1;
    std::vector<std::unique_ptr<Profile>> campaigns;  // of each part, where there are several
};

// A frozen population with everything that was found in it. Kept until the next sweep, for the
// rescoring of newcomers and for explanations.
struct Findings {
    std::unique_ptr<Population> population;
    std::unique_ptr<Cells> cells;
    std::unique_ptr<TwinGraph> twins, chance;
    std::vector<Group> farms;
    std::vector<Group> others;  // places, intermediaries, cohorts: no members above a threshold
    std::size_t seeds = 0;
    double expected_fp = 0;
    double days = 7;  // that the expected false positives stand for
};

struct FindOptions {
    double budget = 3;  // false positives per million accounts and day
    double days = 7;    // seen so far, at most the window
    std::uint32_t orgs_min = 5;
    bool sparse = false;
};

// An account belongs to a farm that it fits with two groups of 1.5 nats each, or by links.
[[nodiscard]] bool two_groups(const Membership& fit) noexcept;

// The part of a farm that an account fits best.
[[nodiscard]] std::size_t campaign_of(const Findings& found, std::size_t farm, const RowView& view);

[[nodiscard]] std::unique_ptr<Findings> find_farms(const Observer& observer, Nanos now,
                                                   std::int64_t window_ns,
                                                   const std::vector<Template>& templates,
                                                   const FindOptions& options,
                                                   const TokenFilter* filter);

}  // namespace seine::detect
