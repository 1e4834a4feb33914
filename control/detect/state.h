// What a restart must not lose, as one stream: versioned, with a checksum over everything.
#pragma once
#include <iosfwd>

#include "control/detect/observe.h"
#include "control/detect/registry.h"
#include "dataplane/base/status.h"

namespace seine::detect {

struct StateView {
    const Observer& observer;
    const Registry& registry;
    Nanos last_sweep;
    Nanos last_match;
};

[[nodiscard]] Status write_state(std::ostream& out, const StateView& view);
// On a fault the arguments are half filled: hand in fresh ones.
[[nodiscard]] Status read_state(std::istream& in, Observer& observer, Registry& registry,
                                Nanos& last_sweep, Nanos& last_match);

}  // namespace seine::detect
