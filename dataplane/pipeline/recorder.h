// From flow state to record frames: open, request, update and close.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// Begins a frame of the flow in the ring, lets `fill` add to it and commits it. A frame that finds no room
// is lost and counted.
template <typename Fill>
void emit_frame(FlowContext& flow, contract::Kind kind, Fill&& fill) noexcept;

// The open record, once per flow: identity and all that is known by now.
void emit_open(FlowContext& flow) noexcept;
// What was learned since, as an update; nothing when there is nothing.
void emit_late(FlowContext& flow) noexcept;
// Totals and finished exchanges: the periodic update.
void emit_update(Workspace& w, flow::FlowId id) noexcept;
// The same and the turn cut off by the end, with the reason; facts not yet told go with it.
void emit_close(Workspace& w, flow::FlowId id, contract::EndReason reason) noexcept;
// Moves a finished exchange to the flow's block; a full or missing block is told at once.
void keep_exchange(Workspace& w, flow::FlowId id, const Exchange& exchange) noexcept;

// Shared by the above.
Counter record_counter(contract::Kind kind) noexcept;
void write_identity(const Workspace& w, flow::FlowId id, contract::Kind kind,
                    contract::FrameWriter& writer) noexcept;

template <typename Fill>
void emit_frame(FlowContext& flow, contract::Kind kind, Fill&& fill) noexcept {
    Workspace& w = flow.w;
    const StageMark mark(w.stage, Stage::record);
    const std::span<std::uint8_t> room = w.out.reserve(w.config.limits.record_bytes_max);
    if (room.empty()) {
        w.counters.add(Counter::records_dropped_ring_full);
        return;
    }
    contract::FrameWriter writer(room);
    write_identity(w, flow.id, kind, writer);
    writer.set(contract::Field::t_last_ns, static_cast<std::uint64_t>(flow.now.count));
    fill(writer);
    if (writer.truncated()) w.counters.add(Counter::records_truncated);
    w.out.commit(writer.finish());
    w.counters.add(record_counter(kind));
}

}  // namespace seine::pipeline
