#include "dataplane/pipeline/recorder.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::FrameWriter;

void set_endpoint(FrameWriter& writer, Field address, Field port,
                  const flow::Endpoint& end) noexcept {
    std::uint8_t bytes[16];
    std::memcpy(bytes, end.address, sizeof bytes);
    writer.set_ip(address, bytes);
    writer.set(port, end.port);
}

void write_rtt(Cold& cold, FrameWriter& writer) noexcept {
    const fingerprint::RttSample sample = cold.rtt.sample();
    const auto put = [&](Field field, std::int32_t us) {
        if (us >= 0) writer.set(field, static_cast<std::uint64_t>(us));
    };
    put(Field::rtt_tcp_us, sample.rtt_tcp_us);
    put(Field::rtt_tls_us, sample.rtt_tls_us);
    put(Field::late_hello_us, sample.late_hello_us);
    writer.set(Field::rtt_valid, sample.valid ? 1 : 0);
    for (unsigned bit = 0; bit < static_cast<unsigned>(fingerprint::RttCause::count_); ++bit) {
        const auto cause = static_cast<fingerprint::RttCause>(bit);
        if ((sample.causes & fingerprint::rtt_bit(cause)) != 0)
            writer.text(Field::rtt_causes, fingerprint::rtt_cause_name(cause));
    }
}

void write_proxied(const Numbers& numbers, FrameWriter& writer) noexcept {
    writer.set_ip(Field::proxied_src, numbers.proxied_source);
    writer.set(Field::proxied_sport, numbers.proxied_source_port);
    writer.set_ip(Field::proxied_dst, numbers.proxied_target);
    writer.set(Field::proxied_dport, numbers.proxied_target_port);
}

// Everything learned and not yet told; it counts as told from here on.
void write_facts(Workspace& w, Cold& cold, FrameWriter& writer) noexcept {
    Numbers& numbers = cold.numbers;
    if (numbers.due(Numbers::kTlsVersion)) writer.set(Field::tls_version, numbers.tls_version);
    if (numbers.due(Numbers::kTlsCipher)) writer.set(Field::tls_cipher, numbers.tls_cipher);
    if (numbers.due(Numbers::kTlsAlert)) writer.set(Field::tls_alert, numbers.tls_alert);
    if (numbers.due(Numbers::kEch)) writer.set(Field::ech, numbers.ech);
    if (numbers.due(Numbers::kQuicVersion)) writer.set(Field::quic_version, numbers.quic_version);
    if (numbers.due(Numbers::kRtt)) write_rtt(cold, writer);
    if (numbers.due(Numbers::kProxied)) write_proxied(numbers, writer);
    if (numbers.due(Numbers::kOuter)) {
        writer.set_ip(Field::outer_src, numbers.outer_source);
        writer.set_ip(Field::outer_dst, numbers.outer_target);
    }
    writer.append_encoded(cold.facts.view(*w.facts));
    const std::uint32_t reasons = numbers.incomplete_known & ~numbers.incomplete_told;
    for (unsigned bit = 0; bit < static_cast<unsigned>(Incomplete::count_); ++bit)
        if ((reasons & (1u << bit)) != 0) writer.text(Field::incomplete, kIncompleteNames[bit]);
    numbers.told = numbers.known;
    numbers.incomplete_told = numbers.incomplete_known;
    cold.facts.clear(*w.facts);
    cold.facts_matched = 0;
}

void write_totals(Workspace& w, FlowHot& hot, FrameWriter& writer) noexcept {
    writer.set(Field::packets_c, hot.packets[0]);
    writer.set(Field::packets_s, hot.packets[1]);
    writer.set(Field::payload_c, hot.payload[0]);
    writer.set(Field::payload_s, hot.payload[1]);
    if (hot.exchanges != flow::kNoState) {
        const ExchangeBlock& block = (*w.exchanges)[hot.exchanges];
        for (std::uint32_t i = 0; i < block.count; ++i) {
            const Exchange& item = block.items[i];
            writer.exchange(Field::exchanges, item.start_ms, item.request_bytes, item.response_bytes);
        }
        w.exchanges->give(hot.exchanges);
        hot.exchanges = flow::kNoState;
    }
    if (hot.cold == flow::kNoState && !hot.totals_kept) return;
    const ColdTotals totals = hot.cold == flow::kNoState ? hot.totals : (*w.cold)[hot.cold].totals();
    if (totals.requests > 0) writer.set(Field::requests, totals.requests);
    if (totals.retransmissions > 0) writer.set(Field::retrans, totals.retransmissions);
    if (totals.conflicts > 0) writer.set(Field::conflicts, totals.conflicts);
}

// A frame of a flow that may have no cold state.
template <typename Fill>
void emit_plain(Workspace& w, flow::FlowId id, contract::Kind kind, Fill&& fill) noexcept {
    const StageMark mark(w.stage, Stage::record);
    const std::span<std::uint8_t> room = w.out.reserve(w.config.limits.record_bytes_max);
    if (room.empty()) {
        w.counters.add(Counter::records_dropped_ring_full);
        return;
    }
    FlowHot& hot = (*w.table)[id];
    FrameWriter writer(room);
    write_identity(w, id, kind, writer);
    writer.set(Field::t_last_ns, static_cast<std::uint64_t>(hot.last_seen.count));
    fill(hot, writer);
    if (writer.truncated()) w.counters.add(Counter::records_truncated);
    w.out.commit(writer.finish());
    w.counters.add(record_counter(kind));
}

}  // namespace

void FlowContext::facts_dropped() noexcept {
    w.counters.add(Counter::facts_dropped);
    incomplete(Incomplete::facts_dropped);
}

// True when a record has taken what was there, so that there is room again.
bool FlowContext::make_room() noexcept {
    if (cold.facts.used == 0 || !hot.has(kWorthy)) return false;
    hot.has(kOpenTold) ? emit_late(*this) : emit_open(*this);
    return true;
}

void FlowContext::fact(contract::Field field, std::string_view text) noexcept {
    if (cold.facts.text(*w.facts, field, text)) return;
    if (!make_room() || !cold.facts.text(*w.facts, field, text)) facts_dropped();
}

void FlowContext::hash_fact(contract::Field field, std::uint64_t hash) noexcept {
    if (cold.facts.hex64(*w.facts, field, hash)) return;
    if (!make_room() || !cold.facts.hex64(*w.facts, field, hash)) facts_dropped();
}

Counter record_counter(contract::Kind kind) noexcept {
    switch (kind) {
        case contract::Kind::open: return Counter::records_open;
        case contract::Kind::request: return Counter::records_request;
        case contract::Kind::update: return Counter::records_update;
        case contract::Kind::close: return Counter::records_close;
        case contract::Kind::finding: return Counter::records_finding;
    }
    return Counter::records_update;
}

void write_identity(const Workspace& w, flow::FlowId id, contract::Kind kind,
                    FrameWriter& writer) noexcept {
    const FlowHot& hot = (*w.table)[id];
    const flow::FlowKey& key = w.table->key(id);
    writer.begin(kind, {w.config.dataplane_id, w.config.epoch,
                        hot.number << 8 | (w.config.worker & 0xffu)});
    writer.set(Field::t_first_ns, static_cast<std::uint64_t>(hot.first_seen.count));
    const bool client_low = hot.has(kClientLow);
    set_endpoint(writer, Field::src, Field::sport, client_low ? key.low_end() : key.high_end());
    set_endpoint(writer, Field::dst, Field::dport, client_low ? key.high_end() : key.low_end());
    writer.set(Field::proto, key.protocol);
    writer.set(Field::ip_version, hot.has(kIpv6) ? 6 : 4);
    if (hot.app != contract::App{}) writer.choose(Field::app, hot.app);
    const bool client = hot.has(kSeenClient);
    const bool server = hot.has(kSeenServer);
    writer.choose(Field::seen, client && server ? contract::Seen::both
                               : client         ? contract::Seen::client
                                                : contract::Seen::server);
    writer.set(Field::worker, w.config.worker);
}

void emit_open(FlowContext& flow) noexcept {
    if (flow.hot.has(kOpenTold)) return;
    flow.hot.set(kOpenTold);
    emit_frame(flow, contract::Kind::open, [&](FrameWriter& writer) {
        if (flow.cold.ttl[0] != 0) writer.set(Field::ttl_c, flow.cold.ttl[0]);
        if (flow.cold.ttl[1] != 0) writer.set(Field::ttl_s, flow.cold.ttl[1]);
        write_facts(flow.w, flow.cold, writer);
    });
}

void emit_late(FlowContext& flow) noexcept {
    if (!flow.hot.has(kOpenTold)) return;
    if (flow.cold.facts.used == 0 && !flow.cold.numbers.any_due()) return;
    emit_frame(flow, contract::Kind::update,
               [&](FrameWriter& writer) { write_facts(flow.w, flow.cold, writer); });
}

void emit_update(Workspace& w, flow::FlowId id) noexcept {
    emit_plain(w, id, contract::Kind::update, [&](FlowHot& hot, FrameWriter& writer) {
        write_totals(w, hot, writer);
        if (hot.cold != flow::kNoState) write_facts(w, (*w.cold)[hot.cold], writer);
    });
}

void emit_close(Workspace& w, flow::FlowId id, contract::EndReason reason) noexcept {
    emit_plain(w, id, contract::Kind::close, [&](FlowHot& hot, FrameWriter& writer) {
        writer.choose(Field::end_reason, reason);
        write_totals(w, hot, writer);
        Exchange last;
        if (!hot.totals_kept && hot.meter.take_last(last))
            writer.exchange(Field::exchanges, last.start_ms, last.request_bytes, last.response_bytes);
        if (hot.cold != flow::kNoState) write_facts(w, (*w.cold)[hot.cold], writer);
    });
}

void keep_exchange(Workspace& w, flow::FlowId id, const Exchange& exchange) noexcept {
    FlowHot& hot = (*w.table)[id];
    // A block that fills within the first second must not be told before the flow is.
    if (!hot.has(kOpenTold) && hot.cold != flow::kNoState) {
        FlowContext flow{w, id, hot, (*w.cold)[hot.cold], hot.last_seen, {}};
        emit_open(flow);
    }
    if (hot.exchanges == flow::kNoState) hot.exchanges = w.exchanges->take();
    if (hot.exchanges == flow::kNoState) {
        w.counters.add(Counter::exchange_blocks_exhausted);
        emit_plain(w, id, contract::Kind::update, [&](FlowHot& at, FrameWriter& writer) {
            write_totals(w, at, writer);
            writer.exchange(Field::exchanges, exchange.start_ms, exchange.request_bytes, exchange.response_bytes);
        });
        return;
    }
    ExchangeBlock& block = (*w.exchanges)[hot.exchanges];
    block.items[block.count++] = exchange;
    if (block.count == ExchangeBlock::kCap) emit_update(w, id);
}

}  // namespace seine::pipeline
