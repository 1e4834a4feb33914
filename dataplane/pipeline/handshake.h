// Handshake messages to fingerprints and session evidence, whichever transport carried them.
#pragma once
#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// Each takes a message body without its handshake header. False: no fingerprint came of it, the reason is
// counted and among the flow's `incomplete` ones.
bool on_client_hello(FlowContext& flow, ByteView body, fingerprint::Transport transport) noexcept;
bool on_server_hello(FlowContext& flow, ByteView body, fingerprint::Transport transport) noexcept;
// HelloRetryRequest as a message of its own (TLS 1.3 drafts before 22).
bool on_draft_retry(FlowContext& flow, ByteView body, fingerprint::Transport transport) noexcept;
void on_certificates(FlowContext& flow, ByteView body, Side from) noexcept;
void on_new_session_ticket(FlowContext& flow, ByteView body) noexcept;

}  // namespace seine::pipeline
