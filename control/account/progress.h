// How far the flow events of each dataplane have come.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "dataplane/base/clock.h"

namespace seine::account {

// A claim is judged only when the connection it speaks of must have been heard of. One thread.
class Progress {
  public:
    void reached(std::uint16_t dataplane, std::int64_t until, std::int64_t now) noexcept {
        std::size_t at = place_of(dataplane);
        if (at == count_) {
            if (count_ == places_.size()) return;
            places_[count_++] = {dataplane, until, now};
        }
        Place& place = places_[at];
        place.until = std::max(place.until, until);
        place.heard = now;
        now_ = now;
        fastest_ = std::max(fastest_, place.until);
        slowest_ = place.until;
        if (count_ == 1) return;
        for (std::size_t i = 0; i < count_; ++i) {
            if (!silent(places_[i])) slowest_ = std::min(slowest_, places_[i].until);
        }
    }
    // How far all of them have come.
    [[nodiscard]] std::int64_t until() const noexcept { return slowest_; }
    // How far those of the bits have come; no bit: all.
    [[nodiscard]] std::int64_t until(std::uint64_t bits) const noexcept {
        if (bits == 0 || count_ == 1) return slowest_;
        std::int64_t out = std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < count_; ++i) {
            if ((bits >> i & 1) != 0 && !silent(places_[i])) out = std::min(out, places_[i].until);
        }
        return out == std::numeric_limits<std::int64_t>::max() ? slowest_ : out;
    }
    [[nodiscard]] std::int64_t fastest() const noexcept { return fastest_; }
    [[nodiscard]] bool more_than_one() const noexcept { return count_ > 1; }
    // Stands for the dataplane, as long as this lives; 0: it has no place.
    [[nodiscard]] std::uint64_t bit_of(std::uint16_t dataplane) const noexcept {
        const std::size_t at = place_of(dataplane);
        return at == count_ ? 0 : std::uint64_t{1} << at;
    }

  private:
    struct Place {
        std::uint16_t dataplane = 0;
        std::int64_t until = 0;
        std::int64_t heard = 0;
    };
    // One that has fallen silent holds nobody up.
    [[nodiscard]] bool silent(const Place& place) const noexcept { return now_ - place.heard > 5 * kSecond; }
    [[nodiscard]] std::size_t place_of(std::uint16_t dataplane) const noexcept {
        std::size_t at = 0;
        while (at < count_ && places_[at].dataplane != dataplane) ++at;
        return at;
    }
    std::array<Place, 64> places_{};
    std::size_t count_ = 0;
    std::int64_t now_ = 0;
    std::int64_t slowest_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t fastest_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace seine::account
