// DTLS: one datagram to records, fragments and handshake messages.
#include <algorithm>

#include "dataplane/pipeline/handshake.h"
#include "dataplane/pipeline/quic_stage.h"
#include "dataplane/pipeline/sides.h"
#include "dataplane/tls/dtls.h"

namespace seine::pipeline {
namespace {

using fingerprint::Transport;

void malformed(FlowContext& flow) noexcept {
    flow.w.counters.add(Counter::dtls_malformed);
    if (!flow.cold.tls.client_hello) flow.incomplete(Incomplete::dtls_malformed);
}

void on_message(FlowContext& flow, Side from, const tls::DtlsMessage& message) noexcept {
    switch (message.type) {
        case tls::handshake::kClientHello:
            if (from == Side::client)
                static_cast<void>(on_client_hello(flow, message.body, Transport::dtls));
            return;
        case tls::handshake::kServerHello:
            if (from == Side::server)
                static_cast<void>(on_server_hello(flow, message.body, Transport::dtls));
            return;
        case tls::handshake::kCertificate: on_certificates(flow, message.body, from); return;
        case tls::handshake::kNewSessionTicket:
            if (from == Side::server) on_new_session_ticket(flow, message.body);
            return;
        default: return;
    }
}

// The hello itself tells who the client is, whoever was seen first.
void orient(FlowContext& flow, Side& from, std::uint8_t type) noexcept {
    if (flow.hot.has(kClientKnown)) return;
    const bool says_client = type == tls::handshake::kClientHello;
    if (!says_client && type != tls::handshake::kServerHello) return;
    if (says_client != (from == Side::client)) {
        swap_sides(flow);
        from = other(from);
    }
    flow.hot.set(kClientKnown);
}

// Makes `slab` hold at least `bytes`, with what it holds so far. False when the pool has none left.
bool grow(stream::BufferPool& pool, stream::Slab& slab, std::size_t bytes) noexcept {
    stream::Slab larger = pool.take(stream::BufferPool::order_for(bytes));
    if (larger.empty()) return false;
    if (!slab.empty())
        std::copy_n(pool.data(slab), stream::BufferPool::bytes(slab), pool.data(larger));
    pool.give(slab);
    slab = larger;
    return true;
}

void on_fragment(FlowContext& flow, Side& from, const tls::DtlsFragment& fragment) noexcept {
    orient(flow, from, fragment.type);
    DtlsState& dtls = flow.cold.dtls;
    stream::BufferPool& pool = *flow.w.stream_pool;
    stream::Slab& slab = dtls.buffer[index(from)];
    tls::DtlsAssembler& assembler = dtls.assembler[index(from)];
    // More than all messages together may take is refused by add(), as what the buffer has no room for.
    const std::size_t wanted = assembler.buffer_bytes(fragment);
    if (wanted > stream::BufferPool::bytes(slab) && wanted <= tls::kHandshakeBytesMax &&
        !grow(pool, slab, wanted)) {
        flow.w.counters.add(Counter::stream_pool_exhausted);
        flow.incomplete(Incomplete::stream_pool_exhausted);
        return;
    }
    std::span<std::uint8_t> buffer;
    if (!slab.empty()) buffer = {pool.data(slab), stream::BufferPool::bytes(slab)};
    tls::DtlsMessage message;
    const Parse parse = assembler.add(fragment, buffer, message);
    if (parse == Parse::ok) on_message(flow, from, message);
    if (!assembler.waiting()) pool.give(slab);
    if (parse == Parse::malformed) malformed(flow);
    if (parse == Parse::limit) {
        flow.w.counters.add(Counter::tls_hello_limit);
        flow.incomplete(Incomplete::hello_limit);
    }
}

}  // namespace

void on_dtls_datagram(FlowContext& flow, ByteView payload, Side from) noexcept {
    if (flow.cold.kind != Cold::Kind::dtls) {
        flow.cold.kind = Cold::Kind::dtls;
        new (&flow.cold.dtls) DtlsState();
        flow.cold.protocol[0] = flow.cold.protocol[1] = Protocol::undecided;
    }
    ByteReader in(payload);
    while (!in.empty()) {
        tls::DtlsRecord record;
        const Parse parse = tls::read(in, record);
        if (parse != Parse::ok) return parse == Parse::not_this ? void() : malformed(flow);
        if (record.ciphered || record.type == tls::content::kApplicationData) {
            flow.cold.protocol[index(from)] = Protocol::done;
            return;
        }
        if (record.type != tls::content::kHandshake) continue;
        ByteReader messages(record.fragment);
        while (!messages.empty()) {
            tls::DtlsFragment fragment;
            if (tls::read(messages, fragment) != Parse::ok) {
                malformed(flow);
                break;
            }
            on_fragment(flow, from, fragment);
        }
    }
}

void end_dtls(Workspace& w, Cold& cold) noexcept {
    for (stream::Slab& slab : cold.dtls.buffer) w.stream_pool->give(slab);
}

}  // namespace seine::pipeline
