// Thresholds from a false-positive budget, without labels: a stratified permutation null.
//
// Within a stratum (behind a relay or not, age, kind of network) the evidence of each group is
// dealt out anew among the innocent. Dealing keeps how often each weight occurs and destroys
// coordination. The network, the relay and its place stay together: they follow from one another.
// All dealings at once are the convolution of these distributions, so the tail is exact and no random
// number is drawn.
//
// Who is innocent is not known. Leaving out whoever fits the farm would leave out the very accounts
// that chance made alike. So an account counts in the null of a group of channels as far as its
// other groups say that it does not belong: its own weight in that group never excuses itself.
// Behind relays, where a farm may be most of a stratum, that is not enough: the innocent there are
// counted by those whom nothing but the relay ties to the farm, and show clients, ages, sizes and
// ties as people of their age do who come without a relay. Young accounts on servers are
// counted likewise: there older accounts on servers say what the innocent show.
//
// The budget is one for all farms and strata: it is spent where an expected false positive buys the
// most accounts (every stratum's threshold maximises accounts found less price times expected false
// positives; the price is the lowest that keeps within the budget). Accounts come in steps, so one
// price leaves a part unspent: it buys the steps that are worth most of those that it still pays.
#pragma once
#include <array>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

inline constexpr std::size_t kNullStrata = 18;
[[nodiscard]] std::size_t null_stratum(const Row& row) noexcept;

class Thresholds {
  public:
    static constexpr double kLeast = 4;  // never below: odds of fifty to one
    Thresholds(const Population& population, const Profile& profile);
    // An account that fits with enough groups: a threshold may be set to include it.
    void add_candidate(const Row& row, double score);
    [[nodiscard]] double of(const Row& row) const noexcept { return tau_[null_stratum(row)]; }
    // False positives that the null expects at these thresholds.
    [[nodiscard]] double expected() const noexcept { return expected_; }

    // Sets the thresholds of all farms; `allowed`: false positives that they may cost together.
    static void spend(const std::vector<Thresholds*>& farms, double allowed);

  private:
    // Thresholds at a price; returns the false positives expected of them. `free`: expected ones
    // that a stratum pays nothing for.
    double set(double price, double free);
    // A threshold lowered further: the accounts that it includes for each false positive expected.
    struct Step {
        double worth = 0, cost = 0;
        std::size_t stratum = 0, at = 0;
    };
    [[nodiscard]] Step best_step(double left) const;
    void take_step(const Step& step);
    static void spend_rest(const std::vector<Thresholds*>& farms, double left);

    std::array<double, kNullStrata> tau_{};
    std::array<std::size_t, kNullStrata> tau_at_{};  // the same as a step of the grid
    double expected_ = 0;
    // By stratum: accounts that a threshold at a step of the grid would include, by chance and as
    // seen. Both fall.
    std::array<std::vector<double>, kNullStrata> by_chance_, seen_;
};

}  // namespace seine::detect
