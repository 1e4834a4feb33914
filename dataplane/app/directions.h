// Which directions of flows the inputs show, and a word to the operator when that changes.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/runtime/stats.h"

namespace seine::app {

// Flows that ended, by what was seen of them. One direction alone is how direct server return,
// asymmetric routes and an ingress-only mirror look: fingerprints of the missing side are absent
// then, and round trips.
struct Directions {
    std::uint64_t both = 0;
    std::uint64_t client_only = 0;
    std::uint64_t server_only = 0;
    [[nodiscard]] std::uint64_t sum() const noexcept { return both + client_only + server_only; }
    // Of flows, in hundredths of a percent; 0 when there are none.
    [[nodiscard]] std::uint64_t one_sided_share() const noexcept;
};
[[nodiscard]] Directions directions_of(const std::vector<runtime::NamedCount>& totals);

// Compares each stretch of time with the one before. Called about once a second, by one thread.
class DirectionWatch {
  public:
    static constexpr std::int64_t kStretchNs = 60'000'000'000;
    static constexpr std::uint64_t kFlowsMin = 100;     // fewer say nothing; the stretch goes on
    static constexpr std::uint64_t kChangeMin = 20'00;  // hundredths of a percent

    // A line for the operator, or empty: at the first stretch when a good part is one-sided, later
    // when the share moved by kChangeMin or more.
    [[nodiscard]] std::string tend(const Directions& now, std::int64_t now_ns);
    // Of the last whole stretch; all zero before the first.
    [[nodiscard]] const Directions& last() const noexcept { return last_; }

  private:
    Directions begin_;
    Directions last_;
    std::uint64_t told_share_ = 0;
    std::int64_t since_ns_ = 0;
    bool begun_ = false;
};

}  // namespace seine::app
