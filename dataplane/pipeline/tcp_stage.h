// One TCP segment of a flow whose parsers still run: handshake facts, stream, protocol.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// A SYN with another ISN came: the caller closes the flow and shows the segment to a new one.
enum class [[nodiscard]] TcpOutcome : std::uint8_t { taken, begins_anew };

TcpOutcome on_tcp_segment(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept;

// Both directions are read and the round trip is known or never will be: cold state may go.
[[nodiscard]] bool tcp_settled(const FlowContext& flow) noexcept;
// Both ends have closed and all they said was read. SSH is left out: its last window is told at the close.
[[nodiscard]] bool tcp_over(const FlowContext& flow) noexcept;
// Something was learned that no record has told.
[[nodiscard]] bool tcp_owes(const FlowContext& flow) noexcept;
// What the end of the flow settles: last facts, reasons for those that never came.
void end_tcp(FlowContext& flow) noexcept;

}  // namespace seine::pipeline
