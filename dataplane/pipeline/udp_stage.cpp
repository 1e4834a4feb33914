#include "dataplane/pipeline/udp_stage.h"

#include "dataplane/dhcp/message.h"
#include "dataplane/pipeline/handshake.h"
#include "dataplane/pipeline/http_stage.h"
#include "dataplane/pipeline/quic_stage.h"
#include "dataplane/quic/header.h"
#include "dataplane/tls/dtls.h"
#include "dataplane/tls/record_layer.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4d.h"
#endif

namespace seine::pipeline {
namespace {

// Where a ClientHello may begin inside a datagram of a transport we do not read (RDP over UDP).
constexpr std::size_t kHelloOffsetMax = 32;

// A TLS record that fills an unknown datagram to its end and begins with a hello.
bool read_hello_inside(FlowContext& flow, Side from, ByteView payload) noexcept {
    if (payload.size() < 48) return false;
    for (std::size_t at = 0; at < kHelloOffsetMax; ++at) {
        const ByteView rest = payload.subspan(at);
        if (rest[0] != tls::content::kHandshake || rest[1] != 3) continue;
        if (std::size_t{5} + load_be16(rest.data() + 3) != rest.size()) continue;
        tls::Opening opening = tls::Opening::none;
        if (tls::looks_like_tls(rest, opening) != Parse::ok) continue;
        const bool client = opening == tls::Opening::client_hello;
        if (!client && opening != tls::Opening::server_hello) continue;
        if (client != (from == Side::client)) continue;
        tls::RecordEvent event;
        std::size_t used = 0;
        tls::RecordReader reader;
        if (reader.next(rest, flow.w.handshake_scratch, used, event) != Parse::ok) return false;
        return client ? on_client_hello(flow, event.body, fingerprint::Transport::tcp)
                      : on_server_hello(flow, event.body, fingerprint::Transport::tcp);
    }
    return false;
}

// Datagrams looked at before an unknown flow is left alone.
constexpr unsigned kTriesMax = 32;

bool read_dhcp(FlowContext& flow, const wire::PacketView& packet) noexcept {
    dhcp::Message message;
    Parse parse = Parse::not_this;
    if (dhcp::looks_like_v4(packet.payload)) {
        parse = dhcp::read_v4(packet.payload, message);
    } else if (dhcp::looks_like_v6(packet.payload, packet.source_port, packet.target_port)) {
        parse = dhcp::read_v6(packet.payload, message);
    }
    if (parse == Parse::not_this) return false;
    if (parse != Parse::ok) {
        flow.incomplete(Incomplete::dhcp_malformed);
        return true;
    }
    flow.w.counters.add(Counter::dhcp_messages);
    flow.worthy(contract::App::dhcp);
#ifdef SEINE_JA4PLUS
    FixedString<fingerprint::kJa4dBytesMax> text;
    fingerprint::ja4d(message, text);
    flow.fact(contract::Field::ja4d, text.view());
#endif
    return true;
}

}  // namespace

void on_udp_datagram(FlowContext& flow, std::uint8_t path, const wire::PacketView& packet) noexcept {
    Cold& cold = flow.cold;
    const Side from = (path == 0) == flow.hot.has(kClientLow) ? Side::client : Side::server;
    if (cold.ttl[index(from)] == 0) cold.ttl[index(from)] = packet.ttl;
    const ByteView payload = packet.payload;
    if (payload.empty()) return;
    if (packet.cut) flow.incomplete(Incomplete::hello_cut);
    if (cold.kind == Cold::Kind::quic) return on_quic_datagram(flow, payload, path);
    if (cold.kind == Cold::Kind::dtls) return on_dtls_datagram(flow, payload, from);
    if (quic::looks_like_quic(payload)) return on_quic_datagram(flow, payload, path);
    if (tls::looks_like_dtls(payload) == Parse::ok) return on_dtls_datagram(flow, payload, from);
    if (read_dhcp(flow, packet)) return;
    if (read_http_datagram(flow, payload)) return;
    if (read_hello_inside(flow, from, payload)) return;
    if (flow.hot.app != contract::App{}) return;
    // By the entry's count: state is not kept for what nobody has recognised yet.
    if (!cold.unknown_counted && flow.hot.packets[0] + flow.hot.packets[1] + 1 >= kTriesMax) {
        cold.unknown_counted = true;
        flow.w.counters.add(Counter::protocol_unknown);
        cold.protocol[0] = cold.protocol[1] = Protocol::done;
    }
}

}  // namespace seine::pipeline
