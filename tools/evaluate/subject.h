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

// A farm as a detector tells of it, with the reasons for its surest account.
struct FarmStory {
    std::string farm;
    std::uint64_t accounts = 0;
    std::string reason;  // why the group is a farm
    std::string account;
    std::vector<std::pair<double, std::string>>
        lines;  // nats and a sentence; they sum to the score
};

class Subject : public SightingSink {
  public:
    // The clock of the world, at least every simulated second that has an event.
    virtual void advance(Nanos now) = 0;
    // After the last event. Fails where a file that it is to write cannot be written.
    virtual Status finish(Nanos now) = 0;
    // By row of the truth.
    virtual std::vector<Verdict> verdicts(const WorldTruth& truth) = 0;
    // What it counts of itself.
    virtual std::vector<std::pair<std::string, double>> figures() { return {}; }
    // How often it began anew from what it had saved.
    [[nodiscard]] virtual std::uint64_t restarts() const { return 0; }
    // The farms as they stand, largest first.
    virtual std::vector<FarmStory> stories() { return {}; }
};

}  // namespace seine::evaluate
