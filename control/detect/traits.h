// What members of a farm show of their operator: clients, days of sign-up, request sizes, and ties
// to one another. A side is any set of them, and says how well a member fits it.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

class Traits {
  public:
    Traits(const Population& population, const TwinGraph& twins, const TwinGraph& chance,
           const std::vector<std::uint32_t>& members);

    enum Kind : std::uint8_t { client = 0, onboard = 1, mix = 2 };
    static constexpr std::size_t kKinds = 3;
    using Ids = std::vector<std::uint32_t>;

    [[nodiscard]] std::size_t size() const noexcept { return ties_.size(); }
    [[nodiscard]] const Ids& ids(Kind kind, std::uint32_t at) const { return ids_[kind][at]; }
    [[nodiscard]] std::size_t values(Kind kind) const { return with_[kind].size(); }
    // Positions of the members that show a value.
    [[nodiscard]] const Ids& with(Kind kind, std::uint32_t value) const {
        return with_[kind][value];
    }
    // Positions of those that share a session (listed twice) or a failover twin with a member.
    [[nodiscard]] const Ids& ties(std::uint32_t at) const { return ties_[at]; }
    struct Size {
        std::uint8_t bin = 0;
        float share = 0;
        std::uint32_t alike = 0;  // the same number for the same bin and share
    };
    // Beside ids(): the same number for the same value of members that show as many of the kind. A
    // side says the same of all that are alike.
    // Of more members than kExactMax, shares of sizes are rounded: else hardly two would be alike.
    static constexpr std::size_t kExactMax = 3000;
    [[nodiscard]] const Ids& alike(Kind kind, std::uint32_t at) const { return alike_[kind][at]; }
    [[nodiscard]] std::size_t alikes(Kind kind) const noexcept { return alikes_[kind]; }
    [[nodiscard]] std::size_t sizes_alike() const noexcept { return sizes_alike_; }
    [[nodiscard]] const std::vector<Size>& sizes(std::uint32_t at) const { return sizes_[at]; }
    // Connections that the sizes stand for, at most kSizesMax: those of one account are alike.
    [[nodiscard]] float weight(std::uint32_t at) const { return weight_[at]; }
    static constexpr float kSizesMax = 8, kSizesMin = 1;
    [[nodiscard]] float connections(std::uint32_t at) const { return connections_[at]; }
    // Ties by chance, per pair of members.
    [[nodiscard]] double chance_rate() const noexcept { return chance_rate_; }

  private:
    void add(const Population& population, std::uint32_t row, bool exact);
    void number();
    void tie(const Population& population, const TwinGraph& twins, const TwinGraph& chance,
             const std::vector<std::uint32_t>& members);

    std::array<std::vector<Ids>, kKinds> ids_, with_, alike_;
    std::array<std::size_t, kKinds> alikes_{};
    std::size_t sizes_alike_ = 0;
    std::vector<Ids> ties_;
    std::vector<std::vector<Size>> sizes_;
    std::vector<float> weight_, connections_;
    double chance_rate_ = 0;
};

// How many members one of a sample stands for: none where it is not in it.
enum class Weight : std::uint8_t { none = 0, seed = 1, other = 2 };
inline constexpr std::size_t kWeights = 3;
using Times = std::array<double, kWeights>;  // by weight
inline constexpr Times kOnce = {0, 1, 1};

// Counts of a set of members. Of one thread: what it says is worked out once, and kept for those
// that are alike until a member is added or another whole is asked about.
class Side {
  public:
    explicit Side(const Traits& traits, const Times& times = kOnce);
    void add(std::uint32_t at, Weight weight = Weight::other);
    [[nodiscard]] double members() const noexcept { return n_; }
    // ln of the share of this side that shows what the member shows; thinly known shares lean on
    // `whole`. `own`: the weight with which the member is in it and is left out; none: it is not.
    [[nodiscard]] double clients(std::uint32_t at, const Side& whole, Weight own) const {
        return tokens(Traits::client, at, whole, own);
    }
    [[nodiscard]] double onboard(std::uint32_t at, const Side& whole, Weight own) const {
        return tokens(Traits::onboard, at, whole, own);
    }
    [[nodiscard]] double sizes(std::uint32_t at, const Side& whole, Weight own) const;

  private:
    [[nodiscard]] double tokens(Traits::Kind kind, std::uint32_t at, const Side& whole,
                                Weight own) const;
    // Logarithms that are known already, by alike; NaN: not yet.
    using Known = std::vector<double>;
    Known& known(std::size_t kind, Weight own, std::size_t alikes, const Side& whole) const;
    mutable std::array<Known, kWeights*(Traits::kKinds + 1)> known_;  // the last ones of the sizes
    mutable const Side* known_whole_ = nullptr;
    const Traits* traits_;
    Times times_;
    double n_ = 0, n_sizes_ = 0;
    std::array<std::vector<double>, Traits::kKinds> count_;
    std::array<double, ShapeHistogram::kBins> sizes_{};
};

}  // namespace seine::detect
