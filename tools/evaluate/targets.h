// The targets of the product, by level, at the default budget of false positives.
#pragma once
#include <string_view>

namespace seine::evaluate {

struct Targets {
    const char* level;
    double recall;
    double campaign;  // least recall of each, judged at the published scale only; 0: no target
    double precision;
    double fp;  // per million benign accounts and day
    double ari;
    double exchanges;  // of an account until its alert, median
};

// Null for a level that has none.
[[nodiscard]] const Targets* targets_of(std::string_view level);

}  // namespace seine::evaluate
