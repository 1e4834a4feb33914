// How near to the farms of a sweep an account can come: a bound from above, by its tokens alone.
//
// Nearly nobody who connects is of a farm. What tells of one is few tokens among millions, so that
// they fit into a small table; only an account that shows enough of them is weighed by the profiles.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "control/detect/profile.h"

namespace seine::detect {

class Reach {
  public:
    struct Shown {
        std::span<const std::uint64_t> keys;  // of its tokens
        std::uint32_t connections = 0;
        bool gap_known = false;  // its round trips are
        bool sized = false;      // its request sizes may be judged
        bool tied = false;       // it has a twin in a farm, or shares a session with somebody
    };
    // Nobody reaches anything.
    Reach() = default;
    // The profiles outlive it.
    Reach(const Population& population, std::vector<const Profile*> profiles);
    // No profile gives an account that shows this more nats.
    [[nodiscard]] double most(const Shown& shown) const;
    [[nodiscard]] bool is_member(std::uint32_t row) const noexcept { return members_[row]; }

  private:
    struct Entry {
        std::uint64_t key = 0;  // 0: free
        float nats = 0;
        std::uint32_t group = 0;  // index of GroupLine
    };
    [[nodiscard]] std::size_t place(std::uint64_t key) const noexcept;

    std::vector<const Profile*> profiles_;
    std::vector<Entry> entries_;  // a power of two, half of it free
    std::vector<bool> members_;   // of any profile, by row
    std::array<double, kGroups> absent_{};
    double sizes_ = 0;
    double place_ = 0;  // that a relay's place may say of who has round trips
};

}  // namespace seine::detect
