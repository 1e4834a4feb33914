// SSH: banners, HASSH and the windows of JA4SSH.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// The contiguous front of one direction, until its KEXINIT.
Feed feed_ssh(FlowContext& flow, Side from, ByteView bytes) noexcept;
// Every TCP segment of a flow known to be SSH, in capture order.
void on_ssh_segment(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept;
// The last, partial window; called when the flow ends.
void end_ssh(FlowContext& flow) noexcept;

}  // namespace seine::pipeline
