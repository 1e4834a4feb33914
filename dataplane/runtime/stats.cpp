#include "dataplane/runtime/stats.h"

namespace seine::runtime {

std::vector<NamedCount> Snapshot::totals() const {
    std::vector<NamedCount> sums;
    for (const WorkerSnapshot& worker : workers) {
        if (sums.empty()) {
            sums = worker.counters;
            continue;
        }
        for (std::size_t i = 0; i < sums.size() && i < worker.counters.size(); ++i) {
            sums[i].value += worker.counters[i].value;
        }
    }
    return sums;
}

}  // namespace seine::runtime
