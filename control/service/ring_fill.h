// When a ring asks for a commit: late, so that more flows share the work for one account's row, and in
// time, so that the ring has room for what comes while the batch is written.
#pragma once
#include <algorithm>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace seine::service {

// Of one ring. Fills are shares of it that the writer may not use yet.
class RingFill {
  public:
    static constexpr double kLeast = 0.25;  // below it there is time
    static constexpr double kMost = 0.5;    // above it there is none
    static constexpr double kEnd = 0.85;    // what a commit should not let it come to

    // A batch was made, of what fills so much.
    void batch_made(double fill) noexcept { made_at_ = fill; }
    // It is stored, which took so long; `fill` is what came meanwhile.
    void batch_stored(double fill, std::int64_t took_ns, Nanos now) noexcept {
        stored_of_ = made_at_;
        took_s_ = static_cast<double>(took_ns) / kSecond;
        left_ = fill;
        left_at_ = now;
    }
    // What comes while a batch is written, twice over, would fill it too far. A fuller batch takes
    // longer; where nothing is known yet, the least is enough.
    [[nodiscard]] bool presses(double fill, Nanos now) const noexcept {
        if (fill <= kLeast) return false;
        if (fill > kMost || stored_of_ <= 0) return true;
        const double since_s = static_cast<double>(std::max<std::int64_t>(now - left_at_, kMillisecond)) / kSecond;
        const double a_second = std::max(0.0, fill - left_) / since_s;
        return fill + 2 * a_second * took_s_ * std::max(1.0, fill / stored_of_) > kEnd;
    }

  private:
    double made_at_ = 0;
    double stored_of_ = 0;
    double took_s_ = 0;
    double left_ = 0;
    Nanos left_at_;
};

}  // namespace seine::service
