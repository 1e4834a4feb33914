// One cut of a set of members in two: where it is looked for, how it settles, whether it holds.
//
// A cut begins at a seed: cores of the twin graph, accounts of one client, one day of sign-up, one
// mix of sizes. From there everybody moves to the side that fits better until nobody moves. In a set
// of at most kWholeMax members every seed is settled over all of them. In a larger one each is
// settled over a sample, its own members and every k-th of the others, who stand for as many; the
// most telling ones are then settled over all. A cut that is taken holds over the whole set, however
// it was looked for. So what a cut costs grows with the set by a small part only: `looks` counts it.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

#include "control/detect/traits.h"

namespace seine::detect {

struct Cut {
    std::vector<char> second;  // by place in the set: who is on the second side
    double gain = 0;           // nats by which the sides explain their members better than the whole
};

class Cutter {
  public:
    using Rows = std::vector<std::uint32_t>;
    static constexpr std::size_t kPartMin = 5;
    static constexpr std::size_t kWholeMax = 3000;
    static constexpr std::size_t kSampleSeed = 500, kSampleOthers = 1500;
    static constexpr std::size_t kSettledMax = 6;  // seeds of a large set that are settled over all
    static constexpr std::size_t kSeedsMax = 24;   // of each of five kinds
    static constexpr unsigned kRounds = 12;
    static constexpr double kTieNats = 3;  // of one tie to a member of a side
    static constexpr double kDayNats = 3;  // most that the day of sign-up moves an account

    // `set`: positions in the traits.
    Cutter(const Traits& traits, Rows set);
    // The cut that holds and explains most; no second side where none holds.
    [[nodiscard]] Cut best() const;
    // Whether the set's first `first` positions are apart from the others.
    [[nodiscard]] bool apart(std::size_t first) const;
    // How often a member was weighed against two sides.
    [[nodiscard]] std::uint64_t looks() const noexcept { return looks_.load(); }

  private:
    static constexpr std::uint32_t kNone = 0xffffffffu;

    // Some of the set. Each stands for `times` members of its weight, itself among them.
    struct Sample {
        Rows places;                // rising
        std::vector<Weight> weight;  // by place in the set; none: not in the sample
        Times times;
    };
    // A cut of a sample, and what it promises of the whole set.
    struct Start {
        Sample sample;
        Cut cut;
        bool apart = false;  // ties across are those of chance, as far as the sample shows
    };
    [[nodiscard]] std::vector<Rows> seeds() const;
    [[nodiscard]] std::vector<Rows> batches() const;
    [[nodiscard]] std::vector<Rows> tied() const;
    [[nodiscard]] Cut best_of_all(const std::vector<Rows>& from) const;
    [[nodiscard]] Cut best_by_sample(const std::vector<Rows>& from) const;
    [[nodiscard]] static Cut most_telling(std::vector<Cut> cuts);
    [[nodiscard]] Sample everybody() const;
    [[nodiscard]] Sample sample_of(const Rows& seed) const;
    // False where a side is too small to be a part.
    [[nodiscard]] bool start(const Rows& seed, Start& out) const;
    [[nodiscard]] bool alike(const Start& a, const Start& b) const;
    [[nodiscard]] Cut extended(const Start& start) const;
    [[nodiscard]] Side side(const Sample& sample, const Cut& cut, char which) const;
    void settle(const Sample& sample, Cut& cut, unsigned round) const;
    [[nodiscard]] double lean(const Sample& sample, const Cut& cut, const Side& first,
                              const Side& second, std::uint32_t i, double tempered) const;
    [[nodiscard]] double ties_across(const Sample& sample, const Cut& cut) const;
    [[nodiscard]] double count(const Sample& sample, const Cut& cut) const;
    [[nodiscard]] bool holds(const Sample& sample, Cut& cut, double ties) const;
    [[nodiscard]] bool large_enough(const Sample& sample, const Cut& cut) const;

    const Traits* traits_;
    Rows set_;
    std::vector<std::uint32_t> place_of_;
    Side whole_;
    mutable std::atomic<std::uint64_t> looks_{0};
};

}  // namespace seine::detect
