// What a sweep looks at, frozen in steps: between them the observer goes on taking what comes.
//
// Every account is as it was when its turn came, and accounts that came since the first step are of
// the next sweep. Twins must not be matched, and no state loaded, between the first step and the
// last.
#pragma once
#include <memory>
#include <vector>

#include "control/detect/population.h"
#include "control/detect/twins.h"

namespace seine::detect {

class Snapshot {
  public:
    static constexpr double kTwinNats = 3;  // of an edge that counts

    // The rules outlive every use of the population.
    Snapshot(Nanos now, std::int64_t window_ns, const Rules* rules)
        : population(std::make_unique<Population>(now, window_ns, rules)) {}
    // Looks at so many accounts or twins more; true when everything is frozen.
    bool step(const Observer& from, std::uint32_t most);

    std::unique_ptr<Population> population;  // not settled yet
    Twins::Weighed twins, chance;            // of edges that count

  private:
    enum class Stage : std::uint8_t { accounts, twins, chance, done };
    Stage stage_ = Stage::accounts;
    Twins::Edges::const_iterator next_;
};

}  // namespace seine::detect
