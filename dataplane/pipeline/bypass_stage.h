// The flow's side of what cards pass by.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// A settled flow has carried another multiple of the configured bytes: it may be passed by, unless a meter counts its
// turns.
void ask_bypass(Workspace& w, flow::FlowId id) noexcept;

// What cards dropped since the last call is counted at its flows, which stay live by it.
void take_bypassed(Workspace& w, Nanos now) noexcept;

// A segment of a TCP flow with gaps ends so far from where the bytes counted so far do. What cards said of frames was an
// estimate of payload; this sets it right, by up to 2 GiB in either direction.
inline void correct_payload(std::uint64_t& payload, std::int32_t ahead) noexcept {
    const std::int64_t by = ahead;
    payload = by < 0 && payload < static_cast<std::uint64_t>(-by) ? 0 : payload + static_cast<std::uint64_t>(by);
}

}  // namespace seine::pipeline
