// What a figure was measured on: processor, clocks, compiler, flags, commit, and what else ran.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace seine::bench {

class Machine {
  public:
    // Takes some tens of milliseconds: both clocks are measured.
    static Machine look();

    // Ticks of the time-stamp counter a nanosecond: what "cycles" means in every row.
    [[nodiscard]] double ticks_per_ns() const noexcept { return ticks_per_ns_; }
    // Cycles the core really made a nanosecond while it was measured; more than the above when it is boosted.
    [[nodiscard]] double core_per_ns() const noexcept { return core_per_ns_; }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> entries() const;

  private:
    double ticks_per_ns_ = 1;
    double core_per_ns_ = 1;
    double load_at_start_ = 0;
    std::string processor_;
    std::string commit_;
    std::string huge_pages_;
};

}  // namespace seine::bench
