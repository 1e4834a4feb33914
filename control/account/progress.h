// How far the flow events of each dataplane have come.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "dataplane/base/clock.h"

namespace seine::account {

// A claim is judged only when the connection it speaks
// of must have been heard of.
class Progress {
  public:
    void reached(std::uint16_t dataplane, std::int64_t until, std::int64_t now) noexcept {
        Place* place = nullptr;
        for (std::size_t i = 0; i < count_; ++i) {
            if (places_[i].dataplane == dataplane) place = &places_[i];
        }
        if (place == nullptr) {
            if (count_ == places_.size()) return;
            place = &places_[count_++];
            *place = {dataplane, until, now};
        }
        place->until = std::max(place->until, until);
        place->heard = now;
        slowest_ = place->until;
        if (count_ == 1) return;
        for (std::size_t i = 0; i < count_; ++i) {
            // One that has fallen silent holds nobody up.
            if (now - places_[i].heard > 5 * kSecond) continue;
            slowest_ = std::min(slowest_, places_[i].until);
        }
    }
    [[nodiscard]] std::int64_t until() const noexcept { return slowest_; }

  private:
    struct Place {
        std::uint16_t dataplane = 0;
        std::int64_t until = 0;
        std::int64_t heard = 0;
    };
    std::array<Place, 64> places_{};
    std::size_t count_ = 0;
    std::int64_t slowest_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace seine::account
