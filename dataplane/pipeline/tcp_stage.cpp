#include "dataplane/pipeline/tcp_stage.h"

#include "dataplane/pipeline/http_stage.h"
#include "dataplane/pipeline/match_stage.h"
#include "dataplane/pipeline/recognise.h"
#include "dataplane/pipeline/recorder.h"
#include "dataplane/pipeline/sides.h"
#include "dataplane/pipeline/ssh_stage.h"
#include "dataplane/pipeline/tls_stage.h"
#include "dataplane/wire/tcp.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4t.h"
#endif

namespace seine::pipeline {
namespace {

using contract::Field;
using fingerprint::RttCause;

// Steps of all parsers over one contiguous stretch; each consumes or changes the protocol.
constexpr unsigned kStepsMax = 16384;

std::uint16_t mss_of(ByteView options) noexcept {
    wire::TcpOptions walk(options);
    wire::TcpOption option;
    while (walk.next(option) == Parse::ok)
        if (option.kind == wire::kTcpOptionMss && option.value.size() == 2)
            return load_be16(option.value.data());
    return 0;
}

void on_syn(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept {
    Cold& cold = flow.cold;
    if (cold.syn_seen[index(from)]) {
        if (from == Side::server) cold.rtt.syn_ack(flow.now);
        return;
    }
    cold.syn_seen[index(from)] = true;
    cold.mss[index(from)] = mss_of(packet.options);
    if (from == Side::client) {
        fingerprint::SynText syn;
        fingerprint::syn_descriptor(packet, syn);
        flow.fact(Field::syn, syn.view());
        if (packet.payload_wire_bytes > 0) cold.rtt.mark(RttCause::fast_open);
    } else {
        cold.rtt.syn_ack(flow.now);
    }
    if (cold.mss[0] != 0 && cold.mss[1] != 0) cold.rtt.set_mss(std::min(cold.mss[0], cold.mss[1]));
#ifdef SEINE_JA4PLUS
    fingerprint::Ja4tText text;
    fingerprint::ja4t(packet.window, packet.options, text);
    flow.fact(from == Side::client ? Field::ja4t : Field::ja4ts, text.view());
    if (from == Side::client) cold.ja4l_tcp.syn(flow.now, packet.ttl);
    else cold.ja4l_tcp.syn_ack(flow.now, packet.ttl);
#endif
}

#ifdef SEINE_JA4PLUS
void tell_ja4l(FlowContext& flow) noexcept {
    fingerprint::Ja4lText text;
    Cold& cold = flow.cold;
    if (!cold.ja4l_server_told && cold.ja4l_tcp.server(text)) {
        flow.fact(Field::ja4l_s, text.view());
        cold.ja4l_server_told = true;
    }
    if (!cold.ja4l_client_told && cold.ja4l_tcp.client(text)) {
        flow.fact(Field::ja4l_c, text.view());
        cold.ja4l_client_told = true;
    }
}
#endif

void on_ack(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept {
    if (from != Side::client) return;
    Cold& cold = flow.cold;
    cold.rtt.client_ack(flow.now);
    if (flow.hot.has(kHandshaken) || !cold.syn_seen[0] || !cold.syn_seen[1]) return;
    const bool first = packet.seq == cold.stream[0].isn() + 1;
    if (packet.ack != cold.stream[1].isn() + 1) return;
    flow.hot.set(kHandshaken);
    flow.w.table->set_half_open(flow.id, false);
#ifdef SEINE_JA4PLUS
    if (first) {
        cold.ja4l_tcp.handshake_ack(flow.now);
        tell_ja4l(flow);
    }
#else
    static_cast<void>(first);
#endif
}

Feed feed_one(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    switch (flow.cold.protocol[index(from)]) {
        case Protocol::undecided: return recognise(flow, from, bytes);
        case Protocol::preface: return feed_preface(flow, from, bytes);
        case Protocol::tls: return feed_tls(flow, from, bytes);
        case Protocol::http1: return feed_http1(flow, from, bytes);
        case Protocol::h2: return feed_h2(flow, from, bytes);
        case Protocol::ssh: return feed_ssh(flow, from, bytes);
        case Protocol::watch: return watch(flow, from, bytes);
        case Protocol::done: break;
    }
    return {bytes.size(), Next::wait};
}

// Body bytes to come that no parser needs to see: the stream jumps over them, holes included.
std::uint64_t skip_body(FlowContext& flow, Side from) noexcept {
    Cold& cold = flow.cold;
    const bool client = from == cold.speaker;
    if (reads_body(cold, client) || reads_stream(flow, client)) return 0;  // rules look at it
    std::uint64_t skip = 0;
    if (cold.protocol[index(from)] == Protocol::http1) {
        skip = client ? cold.http1.client_skippable() : cold.http1.server_skippable();
        client ? cold.http1.client_skipped(skip) : cold.http1.server_skipped(skip);
    } else if (cold.protocol[index(from)] == Protocol::h2 && cold.h2 != nullptr) {
        skip = client ? cold.h2->client_skippable() : cold.h2->server_skippable();
        client ? cold.h2->client_skipped(skip) : cold.h2->server_skipped(skip);
    }
    return skip;
}

// How many bytes of the front are done with; more than there are when a body is skipped.
std::uint64_t feed(FlowContext& flow, Side& from, ByteView bytes) noexcept {
    const StageMark mark(flow.w.stage, Stage::parse);
    std::size_t taken = 0;
    for (unsigned step = 0; step < kStepsMax; ++step) {
        const ByteView rest = bytes.subspan(taken);
        if (rest.empty()) return taken + skip_body(flow, from);
        const Feed fed = feed_one(flow, from, rest);
        taken += fed.consume;
        switch (fed.next) {
            case Next::again: break;
            case Next::wait:
                if (taken < bytes.size()) return taken;
                break;
            case Next::recognise: flow.cold.protocol[index(from)] = Protocol::undecided; break;
            case Next::h2: flow.cold.protocol[index(from)] = Protocol::h2; break;
            case Next::done:
            case Next::give_up:
                flow.cold.protocol[index(from)] = Protocol::done;
                return bytes.size();
        }
    }
    // Thousands of empty records or frames in one stretch: nobody sends that to be understood.
    flow.w.counters.add(Counter::stream_limit_segments);
    flow.incomplete(Incomplete::stream_limit);
    flow.cold.protocol[index(from)] = Protocol::done;
    return bytes.size();
}

void give_up(FlowContext& flow, Side from, Counter counter, Incomplete why) noexcept {
    const Protocol protocol = flow.cold.protocol[index(from)];
    // Frees what is held and drops what comes, without storing it.
    flow.cold.stream[index(from)].consume(flow.w.room(), std::uint64_t{1} << 62);
    flow.cold.protocol[index(from)] = Protocol::done;
    if (protocol == Protocol::done || protocol == Protocol::watch) return;
    flow.w.counters.add(counter);
    flow.incomplete(why);
}

void give_up(FlowContext& flow, Side from, stream::Added added) noexcept {
    if (added == stream::Added::pool_exhausted)
        return give_up(flow, from, Counter::stream_pool_exhausted, Incomplete::stream_pool_exhausted);
    give_up(flow, from,
            added == stream::Added::limit_bytes ? Counter::stream_limit_bytes
                                                : Counter::stream_limit_segments,
            Incomplete::stream_limit);
}

// Shows what stands at the base to the parsers until they want more.
void drain(FlowContext& flow, Side from) noexcept {
    const stream::Room room = flow.w.room();
    while (true) {
        stream::TcpStream& stream = flow.cold.stream[index(from)];
        const ByteView ready = stream.ready(room);
        if (ready.empty()) return;
        const std::uint64_t used = feed(flow, from, ready);
        if (used == 0) return;
        flow.cold.stream[index(from)].consume(room, used);
    }
}

// Bytes are missing that will not come. HTTP/1 can find its feet again at the next head.
void on_lost(FlowContext& flow, Side from) noexcept {
    Cold& cold = flow.cold;
    const Protocol protocol = cold.protocol[index(from)];
    if (protocol == Protocol::done) return;
    cold.rtt.mark(RttCause::loss);
    flow.w.matcher.end_flow(cold.match);  // what comes next is another part of it
    if (protocol == Protocol::http1) {
        flow.w.counters.add(Counter::stream_lost);
        flow.incomplete(Incomplete::stream_lost);
        from == cold.speaker ? cold.http1.client_lost() : cold.http1.server_lost();
    } else if (protocol != Protocol::watch && protocol != Protocol::undecided) {
        return give_up(flow, from, Counter::stream_lost, Incomplete::stream_lost);
    }
    static_cast<void>(cold.stream[index(from)].resync(flow.w.room()));
    drain(flow, from);
}

void count_push(FlowContext& flow, const stream::Push& push) noexcept {
    Counters& counters = flow.w.counters;
    if (push.retransmission) {
        counters.add(Counter::stream_duplicates);
        ++flow.cold.retransmissions;
        flow.cold.rtt.mark(RttCause::retransmission);
    }
    if (push.reordering) {
        counters.add(Counter::stream_reordered);
        flow.cold.rtt.mark(RttCause::reordering);
    }
    if (push.delivery.conflict) {
        counters.add(Counter::stream_conflicts);
        ++flow.cold.conflicts;
    }
    if (push.pushed == stream::Pushed::keep_alive) counters.add(Counter::stream_keepalives);
    if (push.pushed == stream::Pushed::out_of_window) counters.add(Counter::stream_out_of_window);
}

void time_payload(FlowContext& flow, Side from, const wire::PacketView& packet,
                  const stream::Push& push) noexcept {
    if (packet.payload_wire_bytes == 0 || push.retransmission ||
        push.pushed != stream::Pushed::plain)
        return;
    if (from == Side::client) flow.cold.rtt.client_payload(flow.now);
    else flow.cold.rtt.server_payload(flow.now, packet.payload_wire_bytes);
}

void deliver(FlowContext& flow, Side from, const stream::Push& push) noexcept {
    const stream::Room room = flow.w.room();
    if (stream::gave_up(push.delivery.added)) return give_up(flow, from, push.delivery.added);
    std::uint64_t used = 0;
    Side at = from;
    if (!push.delivery.ready.empty()) used = feed(flow, at, push.delivery.ready);
    // `at` differs when the bytes corrected who the client is; the stream has changed places with it.
    stream::TcpStream& stream = flow.cold.stream[index(at)];
    const stream::Added after = stream.finish(room, push, used);
    if (stream::gave_up(after)) return give_up(flow, at, after);
    if (after == stream::Added::ready && used > 0) drain(flow, at);
    if (push.pushed == stream::Pushed::lost) on_lost(flow, at);
}

// JA4SSH counts from the first packet of a flow on, before anybody can know that it is SSH.
void note_early(Cold& cold, Side from, const wire::PacketView& packet) noexcept {
    if (packet.payload_wire_bytes == 0) {
        if (packet.tcp_flags == wire::kTcpAck) ++cold.bare_acks[index(from)];
        return;
    }
    if (cold.early_count == std::size(cold.early_payload)) return;
    const auto bytes = static_cast<std::int32_t>(packet.payload_wire_bytes & 0xffff);
    cold.early_payload[cold.early_count++] = from == Side::client ? bytes : -bytes;
}

// A SYN that other packets overtook knows better than their ports who the client is.
void orient_by_syn(FlowContext& flow, Side& from, bool answer) noexcept {
    if (flow.hot.has(kClientKnown)) return;
    flow.hot.set(kClientKnown);
    const auto read = [&](Side side) {
        const Protocol protocol = flow.cold.protocol[index(side)];
        return protocol != Protocol::undecided && protocol != Protocol::watch;
    };
    if (from == (answer ? Side::server : Side::client) || read(Side::client) || read(Side::server)) return;
    swap_sides(flow);
    from = other(from);
}

}  // namespace

TcpOutcome on_tcp_segment(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept {
    Cold& cold = flow.cold;
    const bool syn = (packet.tcp_flags & wire::kTcpSyn) != 0;
    const bool ack = (packet.tcp_flags & wire::kTcpAck) != 0;
    const stream::TcpSegment segment = {
        .seq = packet.seq,
        .payload_bytes = packet.payload_wire_bytes,
        .bytes = packet.payload,
        .syn = syn,
        .fin = (packet.tcp_flags & wire::kTcpFin) != 0,
        .rst = (packet.tcp_flags & wire::kTcpRst) != 0,
    };
    const stream::Room room = flow.w.room();
    stream::Push push = cold.stream[index(from)].push(room, segment);
    if (push.pushed == stream::Pushed::new_connection && ack && !flow.hot.has(kHandshaken)) {
        const bool answers_alone = !flow.hot.has(kSeenClient) && flow.hot.payload[index(from)] > 0;
        if (answers_alone) return TcpOutcome::begins_anew;
        // A SYN-ACK is the word of the server; what came before it was of another time or hand.
        cold.stream[index(from)].clear(room);
        cold.stream[index(from)] = stream::TcpStream();
        push = cold.stream[index(from)].push(room, segment);
    }
    if (push.pushed == stream::Pushed::new_connection && !ack) return TcpOutcome::begins_anew;
    if (syn && push.pushed != stream::Pushed::new_connection) orient_by_syn(flow, from, ack);
    cold.reset = push.rst;
    if (cold.ttl[index(from)] == 0) cold.ttl[index(from)] = packet.ttl;
    if (syn && ack == (from == Side::server)) on_syn(flow, from, packet);
    if (ack && !syn) on_ack(flow, from, packet);
    count_push(flow, push);
    time_payload(flow, from, packet, push);
    if (packet.cut) flow.incomplete(Incomplete::hello_cut);
    flow.segment = packet.payload;
    const bool hello_before = cold.tls.client_hello;
    deliver(flow, from, push);
    if (cold.tls.client_hello && !hello_before) cold.rtt.client_hello();
    const bool ssh = flow.hot.app == contract::App::ssh || cold.kind == Cold::Kind::ssh;
    if (ssh) on_ssh_segment(flow, from, packet);
    else note_early(cold, from, packet);
    const Side peer = other(from);
    if (ack && cold.protocol[index(peer)] != Protocol::done &&
        cold.stream[index(peer)].acked(room, packet.ack))
        on_lost(flow, peer);
    if (cold.rtt.measured() && !cold.numbers.has(Numbers::kRtt) && cold.tls.client_hello)
        cold.numbers.known |= Numbers::kRtt;
    return TcpOutcome::taken;
}

bool tcp_settled(const FlowContext& flow) noexcept {
    const Cold& cold = flow.cold;
    if (cold.protocol[0] != Protocol::done || cold.protocol[1] != Protocol::done) return false;
    if (cold.kind == Cold::Kind::ssh) return false;
    return !cold.tls.client_hello || !cold.rtt.started() || cold.rtt.measured();
}

bool tcp_over(const FlowContext& flow) noexcept {
    const Cold& cold = flow.cold;
    const bool ssh = flow.hot.app == contract::App::ssh || cold.kind == Cold::Kind::ssh;
    return !ssh && cold.stream[0].finished() && cold.stream[1].finished();
}

bool tcp_owes(const FlowContext& flow) noexcept {
    const Cold& cold = flow.cold;
    if (cold.facts.used > 0 || cold.numbers.any_due()) return true;
    return cold.tls.client_hello && cold.rtt.started() && !cold.numbers.has(Numbers::kRtt);
}

void end_tcp(FlowContext& flow) noexcept {
    Cold& cold = flow.cold;
#ifdef SEINE_JA4PLUS
    tell_ja4l(flow);
#endif
    end_ssh(flow);
    const bool hello_due = (cold.protocol[0] == Protocol::tls && !cold.tls.client_hello) ||
                           (cold.protocol[1] == Protocol::tls && !cold.tls.server_hello);
    if (hello_due) {
        flow.w.counters.add(Counter::tls_hello_cut);
        flow.incomplete(Incomplete::hello_cut);
    }
    if (cold.tls.client_hello && cold.rtt.started()) cold.numbers.known |= Numbers::kRtt;
}

}  // namespace seine::pipeline
