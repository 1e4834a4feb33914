// One UDP datagram: QUIC, DTLS, DHCP, HTTP in a datagram, or nothing we read.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// `path` is 0 when the datagram comes from the lower end of the flow's key.
void on_udp_datagram(FlowContext& flow, std::uint8_t path, const wire::PacketView& packet) noexcept;

}  // namespace seine::pipeline
