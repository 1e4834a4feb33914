// QUIC and DTLS datagrams to handshake messages.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// One datagram of a flow taken for QUIC. `path` is the flow's direction as its key orders it, since QUIC
// itself tells which side is the client.
void on_quic_datagram(FlowContext& flow, ByteView payload, std::uint8_t path) noexcept;
// Gives back what the flow's CRYPTO streams hold.
void end_quic(Workspace& w, Cold& cold) noexcept;

// One datagram of a flow taken for DTLS.
void on_dtls_datagram(FlowContext& flow, ByteView payload, Side from) noexcept;
void end_dtls(Workspace& w, Cold& cold) noexcept;

}  // namespace seine::pipeline
