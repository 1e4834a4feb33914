// What is put to the test: takes sightings in order of time and says whom it suspects.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/evaluate/metrics.h"
#include "tools/evaluate/plain_join.h"

namespace seine::evaluate {

class Subject : public SightingSink {
  public:
    // The clock of the world, at least every simulated second that has an event.
    virtual void advance(Nanos now) = 0;
    // After the last event.
    virtual void finish(Nanos now) = 0;
    // By row of the truth.
    virtual std::vector<Verdict> verdicts(const WorldTruth& truth) = 0;
    // What it counts of itself.
    virtual std::vector<std::pair<std::string, double>> figures() { return {}; }
};

}  // namespace seine::evaluate
