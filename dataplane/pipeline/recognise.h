// Which protocol a direction speaks, by its bytes alone.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// The contiguous front of a direction whose protocol is not known yet. Sets flow.cold.protocol of that
// direction (and of the other where the bytes say it); Next::again then shows the bytes to that parser.
// May find that `from` is the other side: it is corrected with the flow.
Feed recognise(FlowContext& flow, Side& from, ByteView bytes) noexcept;

// A direction in a preface (PROXY, SOCKS, STARTTLS ...).
Feed feed_preface(FlowContext& flow, Side from, ByteView bytes) noexcept;

// An unknown direction: takes all bytes, and looks whether a hello begins where a segment does.
Feed watch(FlowContext& flow, Side& from, ByteView bytes) noexcept;

}  // namespace seine::pipeline
