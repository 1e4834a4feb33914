// TLS over TCP: one direction's records to handshake messages.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// The contiguous front of one direction of a TLS connection.
Feed feed_tls(FlowContext& flow, Side from, ByteView bytes) noexcept;

}  // namespace seine::pipeline
