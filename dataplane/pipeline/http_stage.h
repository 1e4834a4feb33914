// Clear-text HTTP: request and response heads of HTTP/1.x and HTTP/2 to fingerprints and records.
#pragma once
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// The contiguous front of one direction of an HTTP/1.x connection.
Feed feed_http1(FlowContext& flow, Side from, ByteView bytes) noexcept;
// The same of a clear HTTP/2 connection; the flow's connection was begun by begin_h2.
Feed feed_h2(FlowContext& flow, Side from, ByteView bytes) noexcept;
// Takes an HTTP/2 connection from the pool. False, counted, when none is left.
bool begin_h2(FlowContext& flow) noexcept;
// One datagram that holds a request by itself (SSDP). True when it did.
bool read_http_datagram(FlowContext& flow, ByteView payload) noexcept;

}  // namespace seine::pipeline
