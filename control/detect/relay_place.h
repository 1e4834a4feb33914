// Where the relay of a group stands, told by the exits that its accounts share with others.
//
// A relay stands in one place, so through one exit it is always as far away: TLS is answered later
// than TCP by the way from the exit to the relay and back. Who else rents that exit sits elsewhere.
// An account's delay through an exit is compared with those of the group's other accounts through
// the same address, or through the same prefix where too few are known; what the comparison is worth
// is counted, among the members and among all others behind relays.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "control/detect/population.h"

namespace seine::detect {

class RelayPlace {
  public:
    RelayPlace() = default;
    // `members` rise.
    RelayPlace(const Population& population, const std::vector<std::uint32_t>& members);

    struct Weight {
        double nats = 0;
        double in_group = 0, outside = 0;  // shares that agree about as well
    };
    [[nodiscard]] double nats_max() const noexcept;  // that it can say of anybody
    // Zero where nothing can be compared. `self`: the ways are those of a member.
    [[nodiscard]] Weight weigh(std::span<const WayBeyond> ways, bool self) const;
    // The sum of the logs of likelihood ratios itself: to tell two groups of like kind apart.
    [[nodiscard]] double nats(std::span<const WayBeyond> ways, bool self) const {
        const Agreement a = agreement(ways, self);
        return a.ways == 0 ? 0 : a.nats[a.ways - 1];
    }

  private:
    struct Seen {
        std::uint32_t token = 0;
        float ms = 0;
        friend bool operator<(const Seen& a, const Seen& b) noexcept {
            return a.token != b.token ? a.token < b.token : a.ms < b.ms;
        }
    };
    // How many ways of the group lead through a token, and how many are about as long.
    struct Count {
        double all = 0, near = 0;
    };
    [[nodiscard]] Count count(std::uint32_t token, float ms) const;
    // Share of the ways of all others behind relays that are about as long.
    [[nodiscard]] double chance(float ms) const;
    // Ways that can be compared, at most so many, and the sums of the logs of their likelihood ratios
    // up to each of them.
    static constexpr std::size_t kWaysMax = 10;
    struct Agreement {
        std::size_t ways = 0;
        std::array<double, kWaysMax> nats{};
    };
    [[nodiscard]] Agreement agreement(std::span<const WayBeyond> ways, bool self) const;
    void calibrate(const Population& population, const std::vector<std::uint32_t>& members);

    static constexpr std::size_t kSteps = 8;
    std::vector<Seen> seen_;      // of the members, by address and by prefix; rising
    std::vector<float> own_;      // of the members, rising
    std::span<const float> all_;  // of everybody behind relays, rising; the population's
    // Of a sum of so many ways less one, by its step. Who has more ways is counted for fewer as well:
    // few members have few, and few are enough to compare.
    std::array<std::array<Weight, kSteps>, kWaysMax> weight_{};
    std::size_t ways_most_ = 0;  // that enough others have; of more, so many are judged
};

}  // namespace seine::detect
