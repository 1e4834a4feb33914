// Birth and death of flows: cold state taken and given back, records at the end, timers between.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// Before a flow is added: in a full table the oldest half-open flow goes, while half-open flows are many.
// When they are few or none, the table's own rule of eviction finds another.
void make_place(Workspace& w) noexcept;
// The timer of a new flow, and of one whose deadline may have come closer.
void schedule_first(Workspace& w, flow::FlowId id) noexcept;
void reschedule(Workspace& w, flow::FlowId id) noexcept;
// Cold state for a flow that has none; false, counted, when none can be freed.
bool take_cold(Workspace& w, flow::FlowId id) noexcept;
// Gives back the cold state; what it still knows must have been told.
void release_cold(Workspace& w, flow::FlowId id) noexcept;
// Writes what the end of a flow has to say and gives everything back.
void close_flow(Workspace& w, flow::FlowId id, contract::EndReason reason) noexcept;
// The same without touching the table, for a flow that is being evicted.
void settle_evicted(Workspace& w, flow::FlowId id) noexcept;
// When reassembly buffers run short, the oldest half-open flows that hold some go; a few at a call.
void relieve(Workspace& w) noexcept;
// More bytes held than this are short.
[[nodiscard]] inline std::size_t relief_mark(const Workspace& w) noexcept {
    return w.stream_pool->bytes_total() / 4 * 3;
}
// The reason of a flow that FIN or RST has ended, else `otherwise`.
[[nodiscard]] inline contract::EndReason end_reason(const FlowHot& hot,
                                                    contract::EndReason otherwise) noexcept {
    return hot.has(kEnded) ? hot.end_reason : otherwise;
}
// The reason of a flow that is past its limit.
[[nodiscard]] contract::EndReason idle_reason(const Workspace& w, flow::FlowId id) noexcept;
// A flow that is past its own limit is over, whether its timer has come up or not.
[[nodiscard]] bool expired(const Workspace& w, flow::FlowId id, Nanos now) noexcept;
// When the flow's timer is due next.
[[nodiscard]] Nanos deadline_of(const Workspace& w, flow::FlowId id) noexcept;
// The timer is due.
void on_timer(Workspace& w, flow::FlowId id, Nanos now) noexcept;
// Tells what is ready to be told and drops cold state that is no more needed.
void settle(Workspace& w, flow::FlowId id, Nanos now) noexcept;

}  // namespace seine::pipeline
