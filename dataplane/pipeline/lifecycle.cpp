#include "dataplane/pipeline/lifecycle.h"

#include <algorithm>
#include <utility>

#include "dataplane/pipeline/quic_stage.h"
#include "dataplane/pipeline/recorder.h"
#include "dataplane/pipeline/tcp_stage.h"

namespace seine::pipeline {
namespace {

using contract::EndReason;

// Clear HTTP and SSH are read to their end; these have nothing to tell after their handshake.
bool is_encrypted(contract::App app) noexcept {
    return app == contract::App::tls || app == contract::App::quic || app == contract::App::dtls;
}

// A datagram flow that nobody recognised gives its cold state back behind each datagram, or after so long without one if it
// has something to remember. It keeps its entry and takes state again if it goes on: DNS at line rate would fill the pool
// with flows that are over.
constexpr std::int64_t kForgetNs = 2 * kSecond;

bool forgettable(const Workspace& w, const FlowHot& hot) noexcept {
    if (!hot.has(kUdp) || hot.has(kWorthy) || hot.cold == flow::kNoState || w.config.records_all) return false;
    const Cold& cold = (*w.cold)[hot.cold];
    return cold.kind == Cold::Kind::none && hot.app == contract::App{} && cold.match.seen() == 0;
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

// Of flows that something was learned of: a scan or a log line is answered by nobody.
void count_seen(Workspace& w, const FlowHot& hot) noexcept {
    if (!hot.has(kWorthy)) return;
    const bool client = hot.has(kSeenClient);
    const bool server = hot.has(kSeenServer);
    w.counters.add(client && server ? Counter::flows_seen_both
                   : client         ? Counter::flows_seen_client_only
                                    : Counter::flows_seen_server_only);
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
    count_seen(w, hot);
    if (hot.has(kBypass)) static_cast<void>(w.bypass->asks.push({w.table->key(id), id, hot.number, true}));
    release_cold(w, id);
    if (hot.exchanges != flow::kNoState) w.exchanges->give(hot.exchanges);
    hot.exchanges = flow::kNoState;
    w.wheel->cancel(id);
}

// The oldest flow of the queue that is still half open goes, with all it holds; `holds`: and that holds
// cold state.
bool close_oldest(Workspace& w, HalfOpenQueue& queue, bool holds) noexcept {
    while (!queue.empty()) {
        const HalfOpen oldest = queue.pop();
        if (!w.table->live(oldest.id) || !w.table->half_open(oldest.id)) continue;
        if ((*w.table)[oldest.id].number != oldest.number) continue;
        if (holds && (*w.table)[oldest.id].cold == flow::kNoState) continue;
        close_flow(w, oldest.id, EndReason::half_open);
        return true;
    }
    return false;
}

// Half-open flows are not the ones to take from. Of the next few that hold cold state the one that matters least: first
// those that never shook hands, then the longest unseen. All state is taken here, so every one has its flow. What the
// next choice reads is asked for.
HalfOpen choose_victim(Workspace& w) noexcept {
    constexpr std::uint32_t kSample = 16;
    ColdVictims& victims = w.victims;
    const std::uint32_t capacity = w.cold->capacity();
    flow::FlowId chosen = flow::kNoFlow;
    for (std::uint32_t i = 0; i < kSample && i < capacity; ++i) {
        const flow::FlowId id = victims.owners[(victims.hand + i) % capacity];
        SEINE_ASSERT((*w.table)[id].cold == (victims.hand + i) % capacity);
        if (chosen == flow::kNoFlow) chosen = id;
        const FlowHot& hot = (*w.table)[id];
        const FlowHot& best = (*w.table)[chosen];
        const bool shook = hot.has(kHandshaken);
        const bool best_shook = best.has(kHandshaken);
        if (shook != best_shook ? best_shook : hot.last_seen < best.last_seen) chosen = id;
    }
    victims.hand = (victims.hand + kSample) % capacity;
    for (std::uint32_t i = 0; i < kSample && i < capacity; ++i)
        w.table->prefetch_flow(victims.owners[(victims.hand + i) % capacity]);
    const FlowHot& hot = (*w.table)[chosen];
    w.cold->prefetch(hot.cold, kColdTelling.first, kColdTelling.bytes);
    return {chosen, hot.number};
}

// Most flows shake hands, and many end, within this time of their first packet: the wheel, whose links are far from the
// processor, looks at every flow then, and until it has, it need not be told of deadlines behind that.
Nanos first_look(const Workspace& w, const FlowHot& hot) noexcept {
    return hot.first_seen + w.config.limits.open_after_hello_ns;
}

bool still_holds_cold(const Workspace& w, const HalfOpen& one) noexcept {
    return w.table->live(one.id) && (*w.table)[one.id].number == one.number && (*w.table)[one.id].cold != flow::kNoState;
}

// The flow to take state from now; the two after it are chosen.
flow::FlowId next_victim(Workspace& w) noexcept {
    auto& ahead = w.victims.ahead;
    const HalfOpen first = std::exchange(ahead[0], std::exchange(ahead[1], choose_victim(w)));
    if (still_holds_cold(w, ahead[0])) {
        const Facts& facts = (*w.cold)[(*w.table)[ahead[0].id].cold].facts;
        w.facts->prefetch(facts.slab, 0, facts.used);
    }
    return still_holds_cold(w, first) ? first.id : choose_victim(w).id;
}

// One flow tells what it knows and settles early.
bool settle_one(Workspace& w) noexcept {
    const flow::FlowId chosen = next_victim(w);
    FlowHot& hot = (*w.table)[chosen];
    // Without its state a half-open flow has nothing to become.
    if (w.table->half_open(chosen)) {
        close_flow(w, chosen, EndReason::half_open);
        return true;
    }
    FlowContext flow{w, chosen, hot, (*w.cold)[hot.cold], hot.last_seen, {}};
    hot.has(kUdp) ? end_udp(flow) : end_tcp(flow);
    flow.incomplete(Incomplete::state_exhausted);
    w.counters.add(Counter::cold_settled_early);
    const bool talked = hot.has(kHandshaken) && hot.has(kPayload);
    if (hot.has(kWorthy) || talked || w.config.records_all) {
        emit_open(flow);
        emit_late(flow);
    }
    hot.set(kSettled);
    release_cold(w, chosen);
    return true;
}

// Both ends have closed and everything they said was read: nothing will come that the cold state is for. What is known is
// told as it would be at the close; what the close record says besides moves to the entry, which lingers alone.
void settle_ended(FlowContext& flow) noexcept {
    Workspace& w = flow.w;
    FlowHot& hot = flow.hot;
    const ColdTotals totals = flow.cold.totals();
    const bool counts_turns = hot.app == contract::App::tls || hot.app == contract::App::quic;
    if (counts_turns && totals.any()) return;
    if (hot.has(kOpenTold) && tcp_owes(flow)) return;  // it goes with the close record
    end_tcp(flow);
    const bool talked = hot.has(kHandshaken) && hot.has(kPayload);
    if (hot.has(kWorthy) || talked || w.config.records_all) {
        emit_open(flow);
        if (tcp_owes(flow)) return;  // the ring was full
    }
    if (totals.any()) {
        hot.totals = totals;
        hot.totals_kept = true;
    }
    hot.set(kSettled);
    release_cold(w, flow.id);
}

}  // namespace

EndReason idle_reason(const Workspace& w, flow::FlowId id) noexcept {
    const FlowHot& hot = (*w.table)[id];
    const bool half_open = !hot.has(kUdp) && !hot.has(kSettled) && w.table->half_open(id);
    return end_reason(hot, half_open ? EndReason::half_open : EndReason::idle);
}

void relieve(Workspace& w) noexcept {
    constexpr unsigned kFlowsAtOnce = 4;
    const stream::BufferPool& pool = *w.stream_pool;
    for (unsigned i = 0; i < kFlowsAtOnce && pool.bytes_used() > relief_mark(w); ++i)
        if (!close_oldest(w, w.half_open_holders, true)) return;
}

void make_place(Workspace& w) noexcept {
    if (w.table->size() == w.table->capacity() && w.table->flooded())
        static_cast<void>(close_oldest(w, w.half_open, false));
}

void schedule_first(Workspace& w, flow::FlowId id) noexcept {
    w.wheel->schedule(id, std::min(deadline_of(w, id), first_look(w, (*w.table)[id])));
}

void reschedule(Workspace& w, flow::FlowId id) noexcept {
    const Nanos due = deadline_of(w, id);
    const Nanos look = first_look(w, (*w.table)[id]);
    // By the wheel's time, which a late packet does not have. After a step back of time the look may stand anywhere.
    if (w.now < look && due >= look && (*w.table)[id].number >= w.flows_before_step) return;
    w.wheel->schedule(id, due);
}

bool take_cold(Workspace& w, flow::FlowId id) noexcept {
    std::uint32_t cold = w.cold->take();
    // The newcomer is not yet in the queue, so it cannot be its own victim. Half-open flows give way while
    // they are the greater part; when they are not, the few are clients at their handshake.
    if (cold == flow::kNoState) {
        const bool flooded = w.table->half_open_count() > w.cold->capacity() / 2;
        if ((flooded && close_oldest(w, w.half_open, true)) || settle_one(w)) cold = w.cold->take();
    }
    if (cold == flow::kNoState) {
        w.counters.add(Counter::cold_exhausted);
        return false;
    }
    FlowHot& hot = (*w.table)[id];
    hot.cold = cold;
    w.victims.owners[cold] = id;
    // A datagram flow takes state again and again.
    if (!hot.has(kUdp) || (hot.packets[0] | hot.packets[1]) == 0) w.half_open.push({id, hot.number});
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
    w.matcher.end_flow(cold.match);
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
    const Nanos last_seen = (*w.table)[id].last_seen;
    // Last seen in a time to come: the clock has gone back since. One wild time stamp is no clock.
    return now - last_seen > idle_limit(w, id) || last_seen - w.now > w.config.limits.time_back_ns_max;
}

Nanos deadline_of(const Workspace& w, flow::FlowId id) noexcept {
    const FlowHot& hot = (*w.table)[id];
    const Limits& limits = w.config.limits;
    if (hot.last_seen - w.now > limits.time_back_ns_max) return w.now;
    Nanos due = hot.last_seen + idle_limit(w, id);
    if (forgettable(w, hot)) due = std::min(due, hot.last_seen + kForgetNs);
    if (hot.cold != flow::kNoState && hot.has(kWorthy)) {
        const Nanos since = (*w.cold)[hot.cold].worthy_at;
        if (!hot.has(kOpenTold)) due = std::min(due, since + limits.open_after_hello_ns);
        else if (is_encrypted(hot.app)) due = std::min(due, since + limits.settle_ns);
    }
    if (hot.has(kOpenTold) && limits.update_every_ns > 0)
        due = std::min(due, hot.first_seen + static_cast<std::int64_t>(hot.update_no) * limits.update_every_ns);
    return due;
}

void on_timer(Workspace& w, flow::FlowId id, Nanos now) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (expired(w, id, now)) return close_flow(w, id, idle_reason(w, id));
    if (forgettable(w, hot) && now - hot.last_seen >= kForgetNs) release_cold(w, id);
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
    const std::int64_t every_ns = w.config.limits.update_every_ns;
    const std::int64_t periods = every_ns > 0 ? (now - hot.first_seen) / every_ns : 0;
    if (hot.has(kOpenTold) && every_ns > 0 && periods >= static_cast<std::int64_t>(hot.update_no)) {
        emit_update(w, id);
        hot.update_no = static_cast<std::uint64_t>(periods + 1) & 0xffffff;
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
        if (!read && !(both && timed && quic)) {
            if (forgettable(w, hot) && cold.numbers.incomplete_known == 0) release_cold(w, id);
            return;
        }
        end_udp(flow);
    } else {
        if (!tcp_settled(flow)) {
            if (hot.has(kEnded) && tcp_over(flow)) settle_ended(flow);
            return;
        }
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
