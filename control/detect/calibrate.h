// Thresholds from a false-positive budget, without labels: a stratified permutation null.
//
// Within a stratum (behind a relay or not, age, kind of network) the evidence of each group is
// dealt out anew among the accounts that do not belong to the farm. Dealing keeps how often each
// weight occurs and destroys coordination. All dealings at once are the convolution of the groups'
// distributions, so the tail is exact and no random number is drawn.
#pragma once
#include <array>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

inline constexpr std::size_t kNullStrata = 18;
[[nodiscard]] std::size_t null_stratum(const Row& row) noexcept;

class Thresholds {
  public:
    // `allowed`: false positives that this farm may cost over the window.
    Thresholds(const Population& population, const Profile& profile, double allowed);
    [[nodiscard]] double of(const Row& row) const noexcept { return tau_[null_stratum(row)]; }
    // False positives that the null expects at these thresholds.
    [[nodiscard]] double expected() const noexcept { return expected_; }

  private:
    std::array<double, kNullStrata> tau_{};
    double expected_ = 0;
};

}  // namespace seine::detect
