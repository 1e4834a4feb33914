#include "dataplane/signature/program.h"

namespace seine::signature {

bool is_sound(std::span<const Step> steps, std::size_t fact_count) noexcept {
    if (steps.empty() || steps.size() > kProgramStepsMax) return false;
    std::size_t depth = 0;
    for (const Step& step : steps) {
        switch (step.kind) {
            case Step::Kind::fact:
                if (step.fact >= fact_count || step.group >= static_cast<unsigned>(Group::count_)) return false;
                ++depth;
                break;
            case Step::Kind::not_:
                if (depth == 0) return false;
                break;
            case Step::Kind::all:
            case Step::Kind::any:
                if (step.operands > depth) return false;
                depth = depth - step.operands + 1;
                break;
            default: return false;
        }
    }
    return depth == 1;
}

}  // namespace seine::signature
