#include "dataplane/pipeline/quic_stage.h"

#include "dataplane/pipeline/handshake.h"
#include "dataplane/pipeline/sides.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using fingerprint::Transport;

// Datagrams behind the handshake that may overtake the last of it.
constexpr std::uint16_t kShortHeadersMax = 8;

void count_datagram(FlowContext& flow, Parse parse, const quic::DatagramFacts& facts) noexcept {
    Counters& counters = flow.w.counters;
    if (facts.opened_count > 0) counters.add(Counter::quic_initials_opened, facts.opened_count);
    if (facts.failed_count > 0) {
        counters.add(Counter::quic_initials_failed, facts.failed_count);
        if (!flow.cold.tls.client_hello) flow.incomplete(Incomplete::quic_not_opened);
    }
    if (facts.no_keys_count > 0) {
        counters.add(Counter::quic_initials_unknown_keys, facts.no_keys_count);
        flow.incomplete(Incomplete::quic_no_client_initial);
    }
    if (facts.unknown_version) {
        counters.add(Counter::quic_version_unknown);
        flow.incomplete(Incomplete::quic_version_unknown);
    }
    if (parse == Parse::malformed || parse == Parse::need_more)
        counters.add(Counter::quic_malformed);
}

void time_handshake(FlowContext& flow, const quic::DatagramFacts& facts, Side from) noexcept {
#ifdef SEINE_JA4PLUS
    auto& ja4l = flow.cold.ja4l_quic;
    const std::uint8_t ttl = flow.cold.ttl[index(from)];
    if (from == Side::client) {
        if (facts.initial) ja4l.client_initial(flow.now, ttl);
        if (facts.handshake) ja4l.client_handshake(flow.now);
    } else {
        if (facts.initial) ja4l.server_initial(flow.now, ttl);
        if (facts.handshake) ja4l.server_handshake(flow.now);
    }
#else
    static_cast<void>(flow);
    static_cast<void>(facts);
    static_cast<void>(from);
#endif
}

// Handshake messages stand in the CRYPTO stream without records (RFC 9001 section 4.1.3).
void read_messages(FlowContext& flow, Side from) noexcept {
    stream::SegmentBuffer& crypto = flow.cold.quic.crypto[index(from)];
    TlsState& tls = flow.cold.tls;
    bool& done = from == Side::client ? tls.client_hello : tls.server_hello;
    while (!done) {
        const ByteView ready = crypto.ready(flow.w.room());
        if (ready.size() < 4) return;
        const std::size_t message_bytes = std::size_t{4} + load_be24(ready.data() + 1);
        if (message_bytes > flow.w.config.limits.hello_bytes_max) {
            flow.w.counters.add(Counter::tls_hello_limit);
            flow.incomplete(Incomplete::hello_limit);
            crypto.clear(flow.w.room());
            done = true;
            return;
        }
        if (ready.size() < message_bytes) return;
        const ByteView body = ready.subspan(4, message_bytes - 4);
        const bool hello = ready[0] == (from == Side::client ? tls::handshake::kClientHello
                                                             : tls::handshake::kServerHello);
        if (hello && from == Side::client) static_cast<void>(on_client_hello(flow, body, Transport::quic));
        if (hello && from == Side::server) static_cast<void>(on_server_hello(flow, body, Transport::quic));
        if (hello && !done) done = true;  // malformed: its reason is noted, nothing better will come
        if (done) crypto.clear(flow.w.room());
        else crypto.consume(flow.w.room(), message_bytes);
    }
}

void take_pieces(FlowContext& flow, const quic::DatagramFacts& facts, Side from) noexcept {
    const TlsState& tls = flow.cold.tls;
    if (from == Side::client ? tls.client_hello : tls.server_hello) return;
    stream::SegmentBuffer& crypto = flow.cold.quic.crypto[index(from)];
    const stream::Room room = flow.w.room();
    for (const quic::CryptoPiece& piece : facts.crypto) {
        const stream::Delivery delivery = crypto.add(room, piece.offset, piece.bytes);
        if (delivery.conflict) {
            flow.w.counters.add(Counter::stream_conflicts);
            ++flow.cold.conflicts;
        }
        const stream::Added added =
            stream::gave_up(delivery.added) ? delivery.added : crypto.finish(room, delivery, 0);
        if (stream::gave_up(added)) {
            const bool pool = added == stream::Added::pool_exhausted;
            flow.w.counters.add(pool ? Counter::stream_pool_exhausted : Counter::stream_limit_bytes);
            flow.incomplete(pool ? Incomplete::stream_pool_exhausted : Incomplete::stream_limit);
            return;
        }
    }
    read_messages(flow, from);
}

void restart(FlowContext& flow) noexcept {
    // After a Retry the hello comes again from offset 0, under new keys; a hello already taken stands.
    for (stream::SegmentBuffer& crypto : flow.cold.quic.crypto) {
        crypto.clear(flow.w.room());
        crypto = stream::SegmentBuffer();
    }
}

void evidence(FlowContext& flow, const quic::DatagramFacts& facts, Side from) noexcept {
    Numbers& numbers = flow.cold.numbers;
    if (from == Side::client && facts.version != 0 && !numbers.has(Numbers::kQuicVersion))
        numbers.put(numbers.quic_version, facts.version, Numbers::kQuicVersion);
    if (facts.token.empty() || flow.cold.presented_token) return;
    flow.cold.presented_token = true;
    flow.hash_fact(Field::session_presented, (*flow.w.keyed)(facts.token));
}

}  // namespace

void on_quic_datagram(FlowContext& flow, ByteView payload, std::uint8_t path) noexcept {
    if (flow.cold.kind != Cold::Kind::quic) {
        flow.cold.kind = Cold::Kind::quic;
        new (&flow.cold.quic) QuicState();
        flow.hot.set(kQuic);
    }
    quic::DatagramFacts& facts = flow.w.quic_facts;
    quic::Session& session = flow.cold.quic.session;
    const Parse parse = [&] {
        const StageMark mark(flow.w.stage, Stage::crypto);
        return session.on_datagram(payload, path, *flow.w.quic_crypto, flow.w.quic_scratch, facts);
    }();
    count_datagram(flow, parse, facts);
    if (session.client_known() && !flow.hot.has(kClientKnown)) {
        if ((session.client_path() == 0) != flow.hot.has(kClientLow)) swap_sides(flow);
        flow.hot.set(kClientKnown);
    }
    const Side from = (path == 0) == flow.hot.has(kClientLow) ? Side::client : Side::server;
    time_handshake(flow, facts, from);
    evidence(flow, facts, from);
    if (facts.rekeyed) restart(flow);
    // A client's short headers come after its Finished (RFC 9001 section 5.7): a server's hello that was not seen by
    // then will not be. A server's say nothing before the first of those, it may send them as soon as it has the client's
    // hello.
    std::uint16_t& behind = flow.cold.segments_watched;
    const bool finished = facts.short_header && (from == Side::client || behind > 0) && flow.cold.tls.client_hello;
    if (finished && ++behind >= kShortHeadersMax)
        flow.cold.protocol[0] = flow.cold.protocol[1] = Protocol::done;
    if (!facts.crypto.empty()) take_pieces(flow, facts, from);
    if (session.exhausted(path) && !flow.cold.tls.client_hello &&
        flow.cold.protocol[0] != Protocol::done) {
        flow.w.counters.add(Counter::quic_gave_up);
        flow.incomplete(Incomplete::quic_gave_up);
        flow.cold.protocol[0] = flow.cold.protocol[1] = Protocol::done;
    }
}

void end_quic(Workspace& w, Cold& cold) noexcept {
    for (stream::SegmentBuffer& crypto : cold.quic.crypto) crypto.clear(w.room());
}

}  // namespace seine::pipeline
