// A rule's condition as the matcher runs it: leaves and operators in the order of a stack.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/signature/evaluate.h"

namespace seine::signature {

// What is asked of a flow is a bit each: a comparison that holds, or a field that is there.
struct Step {
    enum class Kind : std::uint8_t { fact, not_, all, any };
    Kind kind{};
    std::uint8_t group = 0;     // of fact: the Group whose fields it looks at
    std::uint16_t operands = 0;  // of all and any
    std::uint32_t fact = 0;
};

inline constexpr std::size_t kProgramStepsMax = 512;

// `holds(fact)`: the fact was found; `seen(group)`: its group was. Allocates nothing.
template <typename Holds>
Tri run(std::span<const Step> steps, Groups seen, Holds&& holds) noexcept {
    Tri stack[kProgramStepsMax];
    std::size_t depth = 0;
    for (const Step& step : steps) {
        switch (step.kind) {
            case Step::Kind::fact:
                stack[depth++] = holds(step.fact)                  ? Tri::yes
                                 : (seen & (1u << step.group)) != 0 ? Tri::no
                                                                    : Tri::unknown;
                break;
            case Step::Kind::not_: stack[depth - 1] = !stack[depth - 1]; break;
            case Step::Kind::all:
            case Step::Kind::any: {
                const bool all = step.kind == Step::Kind::all;
                Tri out = all ? Tri::yes : Tri::no;
                for (std::uint16_t i = 0; i < step.operands; ++i) {
                    --depth;
                    out = all ? both(out, stack[depth]) : either(out, stack[depth]);
                }
                stack[depth++] = out;
                break;
            }
        }
    }
    return depth == 1 ? stack[0] : Tri::unknown;
}

// Whether steps read from a file keep the stack in order and name only facts below `fact_count`.
bool is_sound(std::span<const Step> steps, std::size_t fact_count) noexcept;

}  // namespace seine::signature
