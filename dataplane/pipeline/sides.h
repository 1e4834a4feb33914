// Which end of a flow is the client: guessed from the first packet, corrected by what the bytes say.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// Takes the other end for the client: everything kept per side changes places.
void swap_sides(FlowContext& flow) noexcept;

}  // namespace seine::pipeline
