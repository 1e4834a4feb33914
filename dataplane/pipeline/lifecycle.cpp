#include "dataplane/pipeline/lifecycle.h"

#include "dataplane/pipeline/quic_stage.h"
#include "dataplane/pipeline/recorder.h"
#include "dataplane/pipeline/tcp_stage.h"

namespace seine::pipeline {
namespace {

using contract::EndReason;

EndReason idle_reason(const Workspace& w, flow::FlowId id) noexcept {
    const FlowHot& hot = (*w.table)[id];
    if (hot.has(kEnded)) return hot.end_reason;
    return !hot.has(kUdp) && w.table->half_open(id) ? EndReason::half_open : EndReason::idle;
}

// Clear HTTP and SSH are read to their end; these have nothing to tell after their handshake.
bool is_encrypted(contract::App app) noexcept {
    return app == contract::App::tls || app == contract::App::quic || app == contract::App::dtls;
}

std::int64_t idle_limit(const Workspace& w, flow::FlowId id) noexcept {
    const FlowHot& hot = (*w.table)[id];
    const Limits& limits = w.config.limits;
    if (hot.has(kEnded)) return limits.linger_ns;
    if (hot.has(kSettled)) return limits.settled_ns;
    if (!hot.has(kUdp) && w.table->half_open(id)) return limits.half_open_ns;
    // A clear-text flow stays live between its requests as a settled one does.
    return hot.has(kOpenTold) ? limits.settled_ns : limits.half_seen_ns;
}

void count_end(Workspace& w, EndReason reason) noexcept {
    switch (reason) {
        case EndReason::fin: w.counters.add(Counter::flows_closed_fin); return;
        case EndReason::rst: w.counters.add(Counter::flows_closed_rst); return;
        case EndReason::reused: w.counters.add(Counter::flows_closed_reused); return;
        case EndReason::idle: w.counters.add(Counter::flows_closed_idle); return;
        case EndReason::half_open: w.counters.add(Counter::flows_closed_half_open); return;
        case EndReason::end: w.counters.add(Counter::flows_closed_end); return;
        case EndReason::evicted: w.counters.add(Counter::flows_evicted); return;
    }
}

#ifdef SEINE_JA4PLUS
void tell_quic_latency(FlowContext& flow) noexcept {
    fingerprint::Ja4lText text;
    Cold& cold = flow.cold;
    if (!cold.ja4l_server_told && cold.ja4l_quic.server(text)) {
        flow.fact(contract::Field::ja4l_s, text.view());
        cold.ja4l_server_told = true;
    }
    if (!cold.ja4l_client_told && cold.ja4l_quic.client(text)) {
        flow.fact(contract::Field::ja4l_c, text.view());
        cold.ja4l_client_told = true;
    }
}
#endif

void end_udp(FlowContext& flow) noexcept {
#ifdef SEINE_JA4PLUS
    if (flow.cold.kind == Cold::Kind::quic) tell_quic_latency(flow);
#endif
    const bool begun = flow.cold.kind == Cold::Kind::quic || flow.cold.kind == Cold::Kind::dtls;
    if (begun && !flow.cold.tls.client_hello && flow.cold.numbers.incomplete_known == 0)
        flow.incomplete(Incomplete::hello_cut);
}

void write_end(Workspace& w, flow::FlowId id, EndReason reason) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (hot.cold != flow::kNoState) {
        FlowContext flow{w, id, hot, (*w.cold)[hot.cold], hot.last_seen, {}};
        hot.has(kUdp) ? end_udp(flow) : end_tcp(flow);
        const bool talked = hot.has(kHandshaken) && hot.has(kPayload);
        if (hot.has(kWorthy) || talked || w.config.records_all) emit_open(flow);
    } else if (w.config.records_all && !hot.has(kOpenTold)) {
        hot.set(kOpenTold);
    }
    if (hot.has(kOpenTold)) emit_close(w, id, reason);
    count_end(w, reason);
    release_cold(w, id);
    if (hot.exchanges != flow::kNoState) w.exchanges->give(hot.exchanges);
    hot.exchanges = flow::kNoState;
    w.wheel->cancel(id);
}

// The cold state of the oldest flow that is still half open goes to the newcomer.
bool steal_cold(Workspace& w) noexcept {
    while (!w.half_open.empty()) {
        const HalfOpen oldest = w.half_open.pop();
        if (!w.table->live(oldest.id) || !w.table->half_open(oldest.id)) continue;
        if ((*w.table)[oldest.id].number != oldest.number) continue;
        if ((*w.table)[oldest.id].cold == flow::kNoState) continue;
        close_flow(w, oldest.id, EndReason::half_open);
        return true;
    }
    return false;
}

}  // namespace

bool take_cold(Workspace& w, flow::FlowId id) noexcept {
    std::uint32_t cold = w.cold->take();
    // The newcomer is not yet in the queue, so it cannot be its own victim.
    if (cold == flow::kNoState && steal_cold(w)) cold = w.cold->take();
    if (cold == flow::kNoState) {
        w.counters.add(Counter::cold_exhausted);
        return false;
    }
    FlowHot& hot = (*w.table)[id];
    hot.cold = cold;
    (*w.cold)[cold].flow = id;
    w.half_open.push({id, hot.number});
    return true;
}

void release_cold(Workspace& w, flow::FlowId id) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (hot.cold == flow::kNoState) return;
    Cold& cold = (*w.cold)[hot.cold];
    const stream::Room room = w.room();
    cold.stream[0].clear(room);
    cold.stream[1].clear(room);
    if (cold.kind == Cold::Kind::quic) end_quic(w, cold);
    if (cold.kind == Cold::Kind::dtls) end_dtls(w, cold);
    if (cold.h2 != nullptr) w.h2_pool.release(cold.h2);
    cold.facts.clear(*w.facts);
    w.cold->give(hot.cold);
    hot.cold = flow::kNoState;
}

void close_flow(Workspace& w, flow::FlowId id, EndReason reason) noexcept {
    write_end(w, id, reason);
    w.table->erase(id);
}

void settle_evicted(Workspace& w, flow::FlowId id) noexcept {
    write_end(w, id, EndReason::evicted);
}

bool expired(const Workspace& w, flow::FlowId id, Nanos now) noexcept {
    return now - (*w.table)[id].last_seen > idle_limit(w, id);
}

Nanos deadline_of(const Workspace& w, flow::FlowId id) noexcept {
    const FlowHot& hot = (*w.table)[id];
    const Limits& limits = w.config.limits;
    Nanos due = hot.last_seen + idle_limit(w, id);
    if (hot.cold != flow::kNoState && hot.has(kWorthy)) {
        const Nanos since = (*w.cold)[hot.cold].worthy_at;
        if (!hot.has(kOpenTold)) due = std::min(due, since + limits.open_after_hello_ns);
        else if (is_encrypted(hot.app)) due = std::min(due, since + limits.settle_ns);
    }
    if (hot.has(kOpenTold)) {
        const auto after = static_cast<std::int64_t>(hot.update_due_s) * kSecond;
        due = std::min(due, hot.first_seen + after);
    }
    return due;
}

void on_timer(Workspace& w, flow::FlowId id, Nanos now) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (expired(w, id, now)) return close_flow(w, id, idle_reason(w, id));
    if (hot.cold != flow::kNoState && hot.has(kWorthy)) {
        FlowContext flow{w, id, hot, (*w.cold)[hot.cold], hot.last_seen, {}};
        if (!hot.has(kOpenTold)) {
            emit_open(flow);
        } else if (is_encrypted(hot.app) && now - flow.cold.worthy_at >= w.config.limits.settle_ns) {
            hot.has(kUdp) ? end_udp(flow) : end_tcp(flow);
            emit_late(flow);
            hot.set(kSettled);
            release_cold(w, id);
        }
    }
    const std::int64_t every_s = w.config.limits.update_every_ns / kSecond;
    const auto alive_s = (now - hot.first_seen) / kSecond;
    if (hot.has(kOpenTold) && alive_s >= static_cast<std::int64_t>(hot.update_due_s)) {
        emit_update(w, id);
        const std::int64_t next = (alive_s / every_s + 1) * every_s;
        hot.update_due_s = static_cast<std::uint64_t>(next) & 0xffffff;
    }
    w.wheel->schedule(id, deadline_of(w, id));
}

void settle(Workspace& w, flow::FlowId id, Nanos now) noexcept {
    FlowHot& hot = (*w.table)[id];
    FlowContext flow{w, id, hot, (*w.cold)[hot.cold], now, {}};
    Cold& cold = flow.cold;
    if (hot.has(kUdp)) {
        const bool quic = cold.kind == Cold::Kind::quic;
#ifdef SEINE_JA4PLUS
        const bool timed = !quic || cold.ja4l_quic.complete();
#else
        const bool timed = true;
#endif
        const bool both = cold.tls.client_hello && cold.tls.server_hello;
        const bool read = cold.protocol[0] == Protocol::done && cold.protocol[1] == Protocol::done;
        if (!(read && !quic) && !(both && timed && quic)) return;
        end_udp(flow);
    } else {
        if (!tcp_settled(flow)) return;
        end_tcp(flow);
    }
    const bool talked = hot.has(kHandshaken) && hot.has(kPayload);
    if (hot.has(kWorthy) || talked) {
        emit_open(flow);
        emit_late(flow);
    } else if (w.config.records_all) {
        return;  // kept for the record at the end
    }
    hot.set(kSettled);
    release_cold(w, id);
}

}  // namespace seine::pipeline
