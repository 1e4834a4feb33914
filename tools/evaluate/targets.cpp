#include "tools/evaluate/targets.h"

namespace seine::evaluate {
namespace {

constexpr Targets kTargets[] = {
    {"L1", 0.999, 0, 0.998, 1, 0.99, 3},  {"L2", 0.995, 0, 0.995, 2, 0.97, 8},
    {"L3", 0.995, 0, 0.995, 2, 0.95, 15}, {"L4", 0.97, 0.85, 0.99, 3, 0.90, 40},
    {"L5a", 0.60, 0, 0.95, 5, 0.70, 150}, {"L5b", 0.30, 0, 0.90, 5, 0.50, 300},
    {"L5c", 0.30, 0, 0.90, 5, 0.50, 300},
};

}  // namespace

const Targets* targets_of(std::string_view level) {
    for (const Targets& t : kTargets) {
        if (level == t.level) return &t;
    }
    return nullptr;
}

}  // namespace seine::evaluate
