#include "dataplane/pipeline/tls_stage.h"

#include "dataplane/pipeline/handshake.h"
#include "dataplane/tls/record_layer.h"

namespace seine::pipeline {
namespace {

using fingerprint::Transport;
using tls::RecordEvent;

Feed lost(FlowContext& flow, Side from, Parse why, std::size_t used) noexcept {
    const TlsState& tls = flow.cold.tls;
    const bool hello_due = from == flow.cold.speaker ? !tls.client_hello : !tls.server_hello;
    if (hello_due) {
        flow.w.counters.add(why == Parse::limit ? Counter::tls_hello_limit
                                                : Counter::tls_records_malformed);
        flow.incomplete(why == Parse::limit ? Incomplete::hello_limit
                                            : Incomplete::tls_malformed);
    }
    return {used, Next::done};
}

// True when this direction has nothing more to tell.
bool on_handshake(FlowContext& flow, Side from, const RecordEvent& event) noexcept {
    TlsState& tls = flow.cold.tls;
    switch (event.type) {
        case tls::handshake::kClientHello:
            if (from != flow.cold.speaker) return false;
            return !on_client_hello(flow, event.body, Transport::tcp) && !tls.client_hello;
        case tls::handshake::kServerHello:
            if (from == flow.cold.speaker) return false;
            if (!on_server_hello(flow, event.body, Transport::tcp)) return true;
            // From TLS 1.3 on everything after the hello is encrypted; after a retry request one more
            // hello comes, which changes nothing.
            return tls.version >= 0x0304 && !tls.retry;
        case tls::handshake::kDraftHelloRetryRequest:
            if (from != flow.cold.speaker) static_cast<void>(on_draft_retry(flow, event.body, Transport::tcp));
            return false;
        case tls::handshake::kCertificate: on_certificates(flow, event.body,
                            from == flow.cold.speaker ? Side::client : Side::server); return false;
        case tls::handshake::kNewSessionTicket:
            if (from != flow.cold.speaker) on_new_session_ticket(flow, event.body);
            return false;
        default: return false;
    }
}

}  // namespace

Feed feed_tls(FlowContext& flow, Side from, ByteView bytes) noexcept {
    RecordEvent event;
    std::size_t used = 0;
    tls::RecordReader& reader = flow.cold.tls.reader[index(from)];
    const Parse parse = reader.next(bytes, flow.w.handshake_scratch, used, event);
    if (parse == Parse::need_more) return {used, Next::wait};
    if (parse != Parse::ok) return lost(flow, from, parse, used);
    switch (event.kind) {
        case RecordEvent::Kind::handshake:
            return {used, on_handshake(flow, from, event) ? Next::done : Next::again};
        case RecordEvent::Kind::alert: {
            Numbers& numbers = flow.cold.numbers;
            if (!numbers.has(Numbers::kTlsAlert))
                numbers.put(numbers.tls_alert, event.alert_description, Numbers::kTlsAlert);
            return {used, Next::again};
        }
        case RecordEvent::Kind::change_cipher_spec:
            // After a retry request both sides may send one in disguise and go on in clear.
            return {used, flow.cold.tls.retry ? Next::again : Next::done};
        case RecordEvent::Kind::application_data:
        case RecordEvent::Kind::opaque: return {used, Next::done};
    }
    return {used, Next::done};
}

}  // namespace seine::pipeline
