// Rules over what a flow has shown: facts, request heads and bodies in, findings out.
#pragma once
#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/http/message.h"
#include "dataplane/pipeline/workspace.h"

namespace seine::pipeline {

// All of these do nothing while no rule set is loaded.

// The facts that came since the last call, and `groups` which are whole now. Call before a record takes
// the facts away.
void match_facts(FlowContext& flow, signature::Groups groups) noexcept;
// The same for a ClientHello, which workspace holds, with the forms that only rules ask for.
void match_client_hello(FlowContext& flow, fingerprint::Transport transport) noexcept;

// A request head. `order` and `ja4h` are its fingerprints; empty: not made.
void match_request(FlowContext& flow, const http::Request& request, std::string_view order,
                   std::string_view ja4h) noexcept;

// A response head: its body may be one that rules look at.
void match_response(FlowContext& flow, const http::Response& response) noexcept;

// Whether the body that the client (or the server) sends is being looked at, so that its bytes may not be
// jumped over.
[[nodiscard]] inline bool reads_body(const Cold& cold, bool client) noexcept {
    return cold.match.body != signature::MatchState::kNoBody && ((cold.match.body & 1) == 0) == client;
}
// The next bytes of that body, and its end.
void match_body(FlowContext& flow, ByteView bytes) noexcept;
void match_body_end(FlowContext& flow) noexcept;

// The same of one stream of an HTTP/2 connection, of its client's bytes or its server's.
[[nodiscard]] bool reads_stream(const FlowContext& flow, bool client) noexcept;
// Bytes of the DATA frame at hand; `ended`: the stream ends with them. May be none.
void match_stream_data(FlowContext& flow, bool client, std::uint32_t stream, ByteView bytes, bool ended) noexcept;
void match_stream_reset(FlowContext& flow, std::uint32_t stream) noexcept;

}  // namespace seine::pipeline
