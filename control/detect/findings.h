// What a sweep found: groups with their profile, verdict, thresholds and members.
#pragma once
#include <memory>
#include <vector>

#include "control/detect/breath.h"
#include "control/detect/calibrate.h"
#include "control/detect/reach.h"
#include "control/detect/seeds.h"
#include "control/detect/snapshot.h"
#include "control/detect/verdict.h"

namespace seine::detect {

// A profile with its thresholds: of a whole farm, or of one campaign in it. A small campaign shows
// by its own clients and days of sign-up what the farm as a whole drowns.
struct Lens {
    std::unique_ptr<Profile> profile;
    std::unique_ptr<Thresholds> thresholds;  // none: of the largest campaign, which the whole shows
};

struct Group {
    Lens whole;
    Verdict verdict;
    bool pool = false;                   // began as a pool of twins
    std::vector<std::uint32_t> members;  // rows above a threshold, rising
    std::vector<double> scores;          // of the members, in the lens that shows them best
    std::vector<double> spares;          // nats over the threshold that held there
    std::vector<std::uint32_t> part;     // campaign of each member
    std::uint32_t parts = 1;
    std::vector<Lens> campaigns;  // of each part, where there are several
    std::vector<model::EvidenceLine> evidence;  // of a farm: what its accounts have in common
};

// A frozen population with everything that was found in it. Kept until the next sweep, for the
// rescoring of newcomers and for explanations.
struct Findings {
    std::unique_ptr<Population> population;
    std::unique_ptr<TwinGraph> twins, chance;
    [[nodiscard]] Ties ties() const noexcept { return {twins.get(), chance.get()}; }
    std::vector<Group> farms;
    Reach reach;                // of the profiles of all farms
    std::vector<Group> others;  // places, intermediaries, cohorts: no members above a threshold
    std::size_t cells = 0, cell_pairs = 0, seeds = 0;  // cells themselves are not kept
    double expected_fp = 0;
    double days = 7;  // that the expected false positives stand for

    // No farm gives an account, as it is now, more nats than this.
    [[nodiscard]] double most_of(const Observer& observer, std::uint32_t slot) const;
    // Takes members out whose slot holds another account by now.
    void drop_gone(const AccountTable& accounts, Breath& breath);
    [[nodiscard]] std::size_t bytes() const noexcept {
        return population->bytes() + twins->bytes() + chance->bytes();
    }
};

struct FindOptions {
    double budget = 3;  // false positives per million accounts and day
    double days = 7;    // seen so far, at most the window
    std::uint32_t orgs_min = 5;
    bool sparse = false;
};

// An account belongs to a farm that it fits with two groups of 1.5 nats each, or by links.
[[nodiscard]] bool two_groups(const Membership& fit) noexcept;

// How well an account fits a group in the lens that shows it best: by what it has over the
// threshold that holds for it there.
struct Fit {
    Membership membership;
    const Profile* profile = nullptr;
    double spare = 0;  // nats over the threshold; negative: not a member
};
[[nodiscard]] Fit fit_of(const Group& group, const RowView& view);

// The part of a farm that an account fits best.
[[nodiscard]] std::size_t campaign_of(const Group& group, const RowView& view);

[[nodiscard]] std::unique_ptr<Findings> find_farms(Snapshot snapshot,
                                                   const std::vector<Template>& templates,
                                                   const FindOptions& options);

}  // namespace seine::detect
