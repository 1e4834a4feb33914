#include "dataplane/pipeline/inspector.h"

#include <algorithm>
#include <utility>

#include "dataplane/pipeline/bypass_stage.h"
#include "dataplane/pipeline/lifecycle.h"
#include "dataplane/pipeline/recorder.h"
#include "dataplane/pipeline/tcp_stage.h"
#include "dataplane/pipeline/udp_stage.h"

namespace seine::pipeline {

namespace {

using contract::EndReason;

// Timers run whenever packet time crosses this, between two packets, so that what a flow's timer sees does
// not depend on bursts or on other flows.
constexpr std::int64_t kTickNs = 250 * kMillisecond;
constexpr std::uint32_t kTimerVisitsMax = 1u << 16;

// Files may claim any time; between these every sum of a time and a limit is a time (to the year 2116).
constexpr std::int64_t kTimeMaxNs = std::int64_t{1} << 62;
Nanos bounded(Nanos at) noexcept { return {std::clamp<std::int64_t>(at.count, 0, kTimeMaxNs)}; }

struct TimerOwner {
    Workspace& w;
    Nanos now;
    [[nodiscard]] Nanos deadline(flow::FlowId id) const noexcept { return deadline_of(w, id); }
    void expire(flow::FlowId id) noexcept { on_timer(w, id, now); }
    void prefetch(flow::FlowId id) const noexcept { w.table->prefetch_flow(id); }
};

// About a millisecond; only ever compared.
flow::Ticks ticks(Nanos at) noexcept { return static_cast<flow::Ticks>(at.count >> 20); }

// Whether the packet's sender is the client, and whether that is more than a guess.
bool sent_by_client(const wire::PacketView& packet, bool& known) noexcept {
    known = false;
    if (packet.transport == wire::Transport::tcp) {
        if ((packet.tcp_flags & wire::kTcpSyn) != 0) {
            known = true;
            return (packet.tcp_flags & wire::kTcpAck) == 0;
        }
        return packet.source_port >= packet.target_port;
    }
    return packet.source_port >= 1024 || packet.target_port < 1024;
}

void around(FlowContext& flow, Side from, const wire::PacketView& packet) noexcept {
    for (unsigned i = 0; i < packet.vlan_count; ++i)
        if (!flow.cold.facts.u16(*flow.w.facts, contract::Field::vlan, packet.vlans[i]))
            flow.incomplete(Incomplete::facts_dropped);
    for (unsigned i = 0; i < packet.tunnel_count; ++i) {
        FixedString<40> text;
        text.append(wire::tunnel_name(packet.tunnels[i].kind));
        text.push(':');
        text.append_decimal(packet.tunnels[i].id);
        flow.fact(contract::Field::tunnel, text.view());
    }
    if (!packet.has_outer) return;
    Numbers& numbers = flow.cold.numbers;
    const bool client = from == Side::client;
    std::memcpy(client ? numbers.outer_source : numbers.outer_target, packet.outer_source.words, 16);
    std::memcpy(client ? numbers.outer_target : numbers.outer_source, packet.outer_target.words, 16);
    numbers.known |= Numbers::kOuter;
}

flow::FlowId open_flow(Workspace& w, const flow::DirectedKey& key, std::uint64_t hash,
                       const wire::PacketView& packet, Nanos now) noexcept {
    make_place(w);
    const flow::FlowId id = w.table->insert(key.key, hash, ticks(now),
                                            [&](flow::FlowId victim) { settle_evicted(w, victim); });
    if (id == flow::kNoFlow) {
        w.counters.add(Counter::flows_refused);
        return id;
    }
    w.counters.add(Counter::flows_new);
    FlowHot& hot = (*w.table)[id];
    hot.first_seen = hot.last_seen = now;
    hot.number = w.flows_numbered++ & 0xffffffffff;
    hot.update_no = 1;
    bool known = false;
    const bool client = sent_by_client(packet, known);
    if (client == key.from_low) hot.set(kClientLow);
    if (known) hot.set(kClientKnown);
    if (packet.transport == wire::Transport::udp) hot.set(kUdp);
    if (packet.ip_version == 6) hot.set(kIpv6);
    schedule_first(w, id);
    return id;
}

// A SYN of the connection this flow already is: what was counted since reaches from it to the next byte.
bool same_start(const FlowHot& hot, Side from, const wire::PacketView& packet) noexcept {
    const auto counted = static_cast<std::uint32_t>(hot.payload[index(from)]);
    return packet.seq + 1 + counted == hot.next_seq[index(from)];
}

// A segment that may speak for its connection: near the bytes counted so far. Others are somebody's shot
// in the dark (RFC 5961).
bool is_near(const FlowHot& hot, Side from, const wire::PacketView& packet) noexcept {
    if (hot.packets[index(from)] == 0 || hot.has(kBypass)) return true;
    const auto away = static_cast<std::int32_t>(packet.seq - hot.next_seq[index(from)]);
    constexpr auto kWindow = static_cast<std::int32_t>(stream::TcpStream::kWindowBytes);
    return away >= -kWindow && away <= kWindow;
}

// The 5-tuple of a flow without parsers is used again. An answer says so only where the question is never
// seen.
bool used_again(const FlowHot& hot, Side from, const wire::PacketView& packet) noexcept {
    if ((packet.tcp_flags & wire::kTcpSyn) == 0 || hot.has(kUdp)) return false;
    const bool answer = (packet.tcp_flags & wire::kTcpAck) != 0;
    if (answer && (hot.has(kSeenClient) || from == Side::client)) return false;
    if (hot.packets[index(from)] == 0) return !answer;
    return !same_start(hot, from, packet);
}

Side sender_of(const FlowHot& hot, bool from_low) noexcept {
    return from_low == hot.has(kClientLow) ? Side::client : Side::server;
}

// Bytes of a TCP direction not counted before.
std::uint32_t fresh_bytes(FlowHot& hot, Side from, const wire::PacketView& packet) noexcept {
    std::uint32_t& next = hot.next_seq[index(from)];
    const bool syn = (packet.tcp_flags & wire::kTcpSyn) != 0;
    const std::uint32_t begin = packet.seq + (syn ? 1 : 0);
    const std::uint32_t end = begin + packet.payload_wire_bytes;
    const bool first = hot.packets[index(from)] == 0;
    const auto ahead = static_cast<std::int32_t>(end - next);
    if (first || (syn && !same_start(hot, from, packet))) {
        next = end;
        return packet.payload_wire_bytes;
    }
    if (hot.has(kBypass)) {
        // A FIN is the last byte of its side, and takes a sequence number that is none.
        if (hot.has(from == Side::client ? kFinClient : kFinServer)) return 0;
        next = end;
        correct_payload(hot.payload[index(from)], ahead);
        return 0;
    }
    if (ahead <= 0) return 0;
    next = end;
    return std::min(packet.payload_wire_bytes, static_cast<std::uint32_t>(ahead));
}

// Turns stand for requests that cannot be read: those in clear have records of their own.
void count_turn(Workspace& w, flow::FlowId id, Side from, std::uint32_t bytes, Nanos now) noexcept {
    FlowHot& hot = (*w.table)[id];
    if (hot.app != contract::App::tls && hot.app != contract::App::quic) return;
    if (from == Side::server) return hot.meter.on_server(bytes);
    constexpr std::int64_t kMillisecondsMax = 0xffffffff;
    const auto since_ms = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>((now - hot.first_seen) / kMillisecond, 0, kMillisecondsMax));
    const std::uint32_t least = hot.has(kUdp) ? kQuicRequestBytesMin : kRequestBytesMin;
    Exchange finished;
    if (hot.meter.on_client(bytes, since_ms, least, finished)) keep_exchange(w, id, finished);
}

// Turns are counted once the handshake is behind: from the server's hello on, or when the flow settled.
bool metered(const Workspace& w, const FlowHot& hot) noexcept {
    if (hot.has(kSettled)) return hot.has(kOpenTold);
    return hot.cold != flow::kNoState && (*w.cold)[hot.cold].tls.server_hello;
}

void on_flags(Workspace& w, flow::FlowId id, Side from, const wire::PacketView& packet) noexcept {
    FlowHot& hot = (*w.table)[id];
    if ((packet.tcp_flags & wire::kTcpFin) != 0) hot.set(from == Side::client ? kFinClient : kFinServer);
    const bool rst = (packet.tcp_flags & wire::kTcpRst) != 0 &&
                     (hot.cold == flow::kNoState || (*w.cold)[hot.cold].reset);
    if (hot.has(kEnded) || !(rst || (hot.has(kFinClient) && hot.has(kFinServer)))) return;
    hot.set(kEnded);
    hot.end_reason = rst ? EndReason::rst : EndReason::fin;
    reschedule(w, id);
}

bool wants_cold(const FlowHot& hot, const wire::PacketView& packet) noexcept {
    if (hot.cold != flow::kNoState || hot.has(kSettled)) return false;
    if (packet.payload_wire_bytes > 0) return true;
    return packet.transport == wire::Transport::tcp && (packet.tcp_flags & wire::kTcpSyn) != 0;
}

// False: the 5-tuple began anew with this packet.
bool inspect_deep(Workspace& w, flow::FlowId id, Side from, bool from_low,
                  const wire::PacketView& packet, Nanos now) noexcept {
    FlowHot& hot = (*w.table)[id];
    const bool told = hot.has(kWorthy);
    const StageMark mark(w.stage, Stage::streams);
    const std::size_t held_bytes = w.stream_pool->bytes_used();
    FlowContext flow{w, id, hot, (*w.cold)[hot.cold], now, {}};
    if (packet.transport == wire::Transport::udp) {
        on_udp_datagram(flow, from_low ? 0 : 1, packet);
    } else if (on_tcp_segment(flow, from, packet) == TcpOutcome::begins_anew) {
        return false;
    }
    if (hot.has(kWorthy)) w.table->set_half_open(id, false);
    if (w.stream_pool->bytes_used() > held_bytes && w.table->half_open(id))
        w.half_open_holders.push({id, hot.number});
    settle(w, id, now);
    if (!told && hot.has(kWorthy) && hot.cold != flow::kNoState)
        reschedule(w, id);
    return true;
}

// Some middleboxes count the padding of a 60-byte frame into the IP length of a pure ACK: six zero bytes,
// two behind a VLAN tag, TCP options taken off, that no sender sent (seen in the wild).
void drop_padding(wire::PacketView& packet) noexcept {
    if ((packet.tcp_flags & ~wire::kTcpSyn) != wire::kTcpAck || packet.payload.empty()) return;
    const std::size_t padding_bytes = packet.payload_wire_bytes + packet.options.size();
    if (padding_bytes != 6 && padding_bytes != 2) return;
    for (const std::uint8_t byte : packet.payload)
        if (byte != 0) return;
    packet.payload = {};
    packet.payload_wire_bytes = 0;
}

// No message of this direction has begun: zeros here are nobody's bytes.
bool at_rest(const Workspace& w, const FlowHot& hot, Side from) noexcept {
    return hot.cold == flow::kNoState ||
           (*w.cold)[hot.cold].stream[index(from)].buffer().held_bytes() == 0;
}

// A data packet or bare ACK of a flow that has told what it had: a probe, a counter and the meter.
bool is_settled_data(const Workspace& w, const FlowHot& hot, const wire::PacketView& packet, Nanos now) noexcept {
    constexpr unsigned kTurns = wire::kTcpSyn | wire::kTcpFin | wire::kTcpRst;
    if (hot.cold != flow::kNoState || (hot.flags & (kSettled | kEnded)) != kSettled) return false;
    if (packet.transport == wire::Transport::tcp && (packet.tcp_flags & kTurns) != 0) return false;
    const std::int64_t idle_ns = now - hot.last_seen;
    return idle_ns <= w.config.limits.settled_ns && idle_ns >= -w.config.limits.time_back_ns_max;
}

void on_settled_data(Workspace& w, flow::FlowId id, FlowHot& hot, bool from_low, wire::PacketView& packet,
                     Nanos now) noexcept {
    const Side from = sender_of(hot, from_low);
    const unsigned at = index(from);
    std::uint32_t bytes = packet.payload_wire_bytes;
    if (packet.transport == wire::Transport::tcp) {
        drop_padding(packet);
        bytes = fresh_bytes(hot, from, packet);
    }
    hot.set(from == Side::client ? kSeenClient : kSeenServer);
    hot.last_seen = std::max(hot.last_seen, now);
    w.table->touch(id, ticks(now));
    std::uint32_t& packets = hot.packets[at];
    if (packets != 0xffffffff) ++packets;
    if (bytes == 0) return;
    hot.set(kPayload);
    const std::uint64_t before = hot.payload[at];
    hot.payload[at] += bytes;
    if (hot.has(kOpenTold)) count_turn(w, id, from, bytes, now);
    if (((before ^ hot.payload[at]) >> w.config.bypass_shift) != 0) [[unlikely]] ask_bypass(w, id);
}

// Everything but a settled flow's data. Kept out of the loop over a burst, whose registers it would take.
[[gnu::noinline]] void on_packet(Workspace& w, const flow::DirectedKey& key, std::uint64_t hash, flow::FlowId guess,
               wire::PacketView& packet, Nanos now) noexcept {
    const bool tcp = packet.transport == wire::Transport::tcp;
    flow::FlowId id = w.table->find(key.key, hash, guess);
    if (id != flow::kNoFlow) {
        const FlowHot& hot = (*w.table)[id];
        const bool over = expired(w, id, now);
        const bool again = hot.cold == flow::kNoState && tcp &&
                           used_again(hot, sender_of(hot, key.from_low), packet);
        if (over || again) {
            close_flow(w, id, over ? idle_reason(w, id) : end_reason(hot, EndReason::reused));
            id = flow::kNoFlow;
        }
    }
    if (id == flow::kNoFlow) id = open_flow(w, key, hash, packet, now);
    if (id == flow::kNoFlow) return;
    FlowHot* hot = &(*w.table)[id];
    Side from = sender_of(*hot, key.from_low);
    if (tcp && at_rest(w, *hot, from)) drop_padding(packet);
    const bool fresh = wants_cold(*hot, packet) && take_cold(w, id);
    if (fresh) {
        FlowContext flow{w, id, *hot, (*w.cold)[hot->cold], now, {}};
        around(flow, from, packet);
    }
    if (hot->cold != flow::kNoState) {
        if (!inspect_deep(w, id, from, key.from_low, packet, now)) {
            close_flow(w, id, end_reason(*hot, EndReason::reused));
            // Once at most: the streams of the new flow have seen no SYN that could differ.
            return on_packet(w, key, hash, flow::kNoFlow, packet, now);
        }
        // The bytes may have corrected who the client is.
        from = sender_of(*hot, key.from_low);
        // What nobody recognised is forgotten before its flow is.
        if (fresh && !tcp && hot->cold != flow::kNoState) reschedule(w, id);
    } else {
        w.counters.add(Counter::packets_settled);
    }
    hot->set(from == Side::client ? kSeenClient : kSeenServer);
    hot->last_seen = std::max(hot->last_seen, now);
    w.table->touch(id, ticks(now));
    const bool near = tcp && is_near(*hot, from, packet);
    const std::uint32_t bytes = tcp ? fresh_bytes(*hot, from, packet) : packet.payload_wire_bytes;
    std::uint32_t& packets = hot->packets[index(from)];
    if (packets != 0xffffffff) ++packets;
    if (bytes > 0) {
        hot->set(kPayload);
        hot->payload[index(from)] += bytes;
        if (metered(w, *hot)) count_turn(w, id, from, bytes, now);
    }
    if (near) on_flags(w, id, from, packet);
}

flow::DirectedKey key_of(const wire::PacketView& view) noexcept {
    return flow::make_key({{view.source.words[0], view.source.words[1]}, view.source_port},
                          {{view.target.words[0], view.target.words[1]}, view.target_port},
                          view.protocol);
}

// A host that sends to a group sees its own datagram come back: two packets, not a copy of one.
bool is_multicast(const wire::PacketView& packet) noexcept {
    const ByteView target = packet.target.bytes();
    return packet.ip_version == 4 ? (target[12] & 0xf0) == 0xe0 : target[0] == 0xff;
}

}  // namespace

struct Inspector::Rooms : Workspace {
    using Workspace::Workspace;

    // What one decoded packet of a burst waits with until all are decoded. Each step over the burst asks for
    // the memory that the next one reads: copies and index, then entries, then cold state and payload. A step does little
    // else, so that the waits for pages lie over each other too.
    struct Waiting {
        wire::PacketView view;
        flow::DirectedKey key;
        std::uint64_t hash;
        wire::DuplicateFilter::Probe probe;
        flow::FlowId guess;  // by the index
        flow::FlowId id;     // compared with the entry
        bool copy;
        Nanos time;
    };
    static constexpr unsigned kFactsAhead = 4;  // packets
    Waiting waiting[kBurstMax];
    unsigned waiting_count = 0;
    std::uint64_t settled_count = 0;
    std::int64_t tick = 0;
    // Between these times there is nothing for timers to do.
    std::int64_t calm_from_ns = 0;
    std::int64_t calm_until_ns = 0;
    std::uint64_t digests_counted = 0;
    bool back_before = false;  // the packet before was far back in time
    flow::FlowId finish_at = 0;

    void run_timers(Nanos now_in) noexcept {
        if (now_in.count < calm_until_ns && now_in.count >= calm_from_ns) [[likely]] {
            back_before = false;
            return;
        }
        turn_timers(now_in);
    }
    [[gnu::noinline]] void turn_timers(Nanos now_in) noexcept {
        const std::int64_t at = now_in.count / kTickNs;
        if (at <= tick && tick != 0) {
            // One wild time stamp is no clock: two in a row are.
            const bool back = (tick - at) * kTickNs > config.limits.time_back_ns_max;
            if (!std::exchange(back_before, back) || !back) return;
            step_back({at * kTickNs});
        }
        back_before = false;
        tick = at;
        calm_from_ns = at * kTickNs - config.limits.time_back_ns_max;
        calm_until_ns = (at + 1) * kTickNs;
        const Nanos tick_time{at * kTickNs};
        now = tick_time;
        while (!wheel->advance(tick_time, kTimerVisitsMax, TimerOwner{*this, tick_time})) {
        }
        if (bypass != nullptr) take_bypassed(*this, tick_time);
        decoder.expire(tick_time);
        counters.set(decoder.fragment_counters());
    }
    void step_back(Nanos to) noexcept {
        counters.add(Counter::time_stepped_back);
        wheel->rebase(to);
        flows_before_step = flows_numbered;
    }
    void look_up(Waiting& one) noexcept {
        one.copy = !is_multicast(one.view) && duplicates.is_copy(one.view, one.probe, one.time);
        one.guess = one.copy ? flow::kNoFlow : table->prefetch_entry(one.hash);
    }
    // Is it the flow that the index says? Then what its parsers will read is asked for.
    void confirm(Waiting& one) const noexcept {
        one.id = table->confirm(one.key.key, one.guess);
        if (one.id == flow::kNoFlow) return prefetch_payload(one.view);
        const FlowHot& hot = (*table)[one.id];
        if (hot.cold == flow::kNoState) return;
        if (one.view.transport != wire::Transport::tcp) {
            prefetch(hot.cold, kColdDatagram);
            if (hot.has(kQuic)) prefetch(hot.cold, kColdQuic);
            return prefetch_payload(one.view);
        }
        prefetch(hot.cold, kColdSegment);
        if (one.view.payload.empty()) return;
        prefetch(hot.cold, kColdPayload);
        if (hot.app != contract::App::tls) prefetch(hot.cold, kColdHttp1);
        prefetch_payload(one.view);
    }
    void prefetch(std::uint32_t id, const ColdPart& part) const noexcept { cold->prefetch(id, part.first, part.bytes); }
    // A little before its turn: where the next fact is put, or all facts when a record is near.
    void ask_for_facts(const Waiting& one) const noexcept {
        if (one.copy || one.id == flow::kNoFlow) return;
        const FlowHot& hot = (*table)[one.id];
        if (hot.cold == flow::kNoState) return;
        const Facts& told = (*cold)[hot.cold].facts;
        const bool near = (hot.flags & (kFinClient | kFinServer)) != 0 || !one.view.payload.empty();
        facts->prefetch(told.slab, near ? 0 : told.used, told.used + 64);
    }
    void count_digests() noexcept {
        if (digester->known() + digester->hashed() == digests_counted) return;
        digests_counted = digester->known() + digester->hashed();
        counters.add(Counter::texts_known, digester->known() - counters.get(Counter::texts_known));
        counters.add(Counter::texts_hashed, digester->hashed() - counters.get(Counter::texts_hashed));
    }
    static void prefetch_payload(const wire::PacketView& view) noexcept {
        if (view.payload.empty()) return;
        __builtin_prefetch(view.payload.data());
        __builtin_prefetch(view.payload.data() + 64);
    }
    // `erased` is what the table said when flows were confirmed.
    void handle(Waiting& one, std::uint64_t erased) noexcept {
        if (one.view.cut) counters.add(Counter::packets_cut);
        run_timers(one.time);
        if (stream_pool->bytes_used() > relief_mark(*this)) [[unlikely]] relieve(*this);
        const flow::FlowId id = table->erased_count() == erased ? one.id : table->confirm(one.key.key, one.guess);
        if (id != flow::kNoFlow) {
            FlowHot& hot = (*table)[id];
            if (is_settled_data(*this, hot, one.view, one.time)) [[likely]] {
                ++settled_count;
                return on_settled_data(*this, id, hot, one.key.from_low, one.view, one.time);
            }
        }
        on_packet(*this, one.key, one.hash, one.guess, one.view, one.time);
    }
    void handle_waiting() noexcept {
        const StageMark mark(stage, Stage::lookup);
        for (unsigned i = 0; i < waiting_count; ++i) table->prefetch_index(waiting[i].hash);
        for (unsigned i = 0; i < waiting_count; ++i) duplicates.prefetch(waiting[i].probe);
        for (unsigned i = 0; i < waiting_count; ++i) look_up(waiting[i]);
        const std::uint64_t erased = table->erased_count();
        for (unsigned i = 0; i < waiting_count; ++i) confirm(waiting[i]);
        std::uint64_t tcp_count = 0;
        std::uint64_t copy_count = 0;
        settled_count = 0;
        for (unsigned i = 0; i < waiting_count; ++i) {
            Waiting& one = waiting[i];
            const bool ahead = i + kFactsAhead < waiting_count && table->erased_count() == erased;
            if (ahead) ask_for_facts(waiting[i + kFactsAhead]);
            if (one.copy) {
                ++copy_count;
                continue;
            }
            tcp_count += one.view.transport == wire::Transport::tcp ? 1 : 0;
            handle(one, erased);
        }
        counters.add(Counter::packets_settled, settled_count);
        counters.add(Counter::packets_tcp, tcp_count);
        counters.add(Counter::packets_udp, waiting_count - tcp_count - copy_count);
        if (copy_count > 0) counters.add(Counter::packets_copied_by_span, copy_count);
        waiting_count = 0;
    }
    // Behind anything but plain IPv4 the transport header reaches into the second line.
    static void prefetch_deep_headers(const Frame& frame) noexcept {
        constexpr std::size_t kTypeAt = 12;
        if (frame.bytes.size() <= 64 || load_be16(frame.bytes.data() + kTypeAt) == 0x0800) return;
        __builtin_prefetch(frame.bytes.data() + 64);
    }
    // False: not a packet to look at; counted by its reason.
    bool decode(const Frame& frame) noexcept {
        Waiting& one = waiting[waiting_count];
        one.time = bounded(frame.time);
        const wire::DecodeResult result =
            decoder.decode(frame.bytes, frame.wire_bytes, frame.link, one.time, one.view);
        if (result != wire::DecodeResult::ok) [[unlikely]] {
            counters.add(result);
            return false;
        }
        one.key = key_of(one.view);
        one.hash = table->hash(one.key.key);
        one.probe = duplicates.probe(one.view, one.hash);
        ++waiting_count;
        // A reassembled datagram lives in the decoder until its next call.
        if (one.view.fragmented) handle_waiting();
        return true;
    }
};

Inspector::Inspector(std::unique_ptr<Rooms> rooms) noexcept : rooms_(std::move(rooms)) {}
Inspector::~Inspector() = default;

Result<std::unique_ptr<Inspector>> Inspector::make(const InspectorConfig& config, ByteRing& out) {
    auto rooms = std::make_unique<Rooms>(config, out);
    const Limits& limits = config.limits;
    auto table = flow::FlowTable<FlowHot>::make(limits.flows_max, config.table_seed);
    if (!table) return table.error();
    auto wheel = flow::TimerWheel::make({.ids_max = limits.flows_max, .tick_ns = kTickNs});
    if (!wheel) return wheel.error();
    auto cold = flow::Pool<Cold>::make(limits.cold_flows_max, "flows in a handshake");
    if (!cold) return cold.error();
    auto exchanges = flow::Pool<ExchangeBlock>::make(limits.exchange_blocks_max, "exchanges");
    if (!exchanges) return exchanges.error();
    auto streams = stream::BufferPool::make(limits.stream_pool_bytes);
    if (!streams) return streams.error();
    auto quic = crypto::QuicCrypto::make();
    if (!quic) return quic.error();
    const std::uint32_t large_facts = config.raw ? std::max(limits.cold_flows_max / Workspace::kRawFactsShare, 8u) : 0;
    auto facts = FactsPool::make({Workspace::kFactsBytes, limits.cold_flows_max}, {Workspace::kRawFactsBytes, large_facts});
    if (!facts) return facts.error();
    rooms->facts = std::move(*facts);
    rooms->table = std::move(*table);
    rooms->wheel = std::move(*wheel);
    rooms->cold = std::move(*cold);
    rooms->victims.owners = std::make_unique<flow::FlowId[]>(limits.cold_flows_max);
    rooms->exchanges = std::move(*exchanges);
    rooms->stream_pool = std::move(*streams);
    rooms->quic_crypto = std::move(*quic);
    if (config.bypass_shift < InspectorConfig::kNoBypass) rooms->bypass = std::make_unique<BypassLink>();
    rooms->digester = std::make_unique<crypto::Digester>(config.texts_known, config.table_seed);
    rooms->keyed = std::make_unique<crypto::KeyedHash>(config.hash_key);
    return std::unique_ptr<Inspector>(new Inspector(std::move(rooms)));
}

void Inspector::inspect(std::span<const Frame> burst) noexcept {
    SEINE_ASSERT(burst.size() <= kBurstMax);
    Rooms& rooms = *rooms_;
    std::uint64_t bytes = 0;
    std::uint64_t decoded = 0;
    rooms.matcher.count_packets(burst.size());
    enter(rooms.stage, Stage::decode);
    for (const Frame& frame : burst) rooms.prefetch_deep_headers(frame);
    for (const Frame& frame : burst) {
        bytes += frame.bytes.size();
        decoded += rooms.decode(frame) ? 1 : 0;
    }
    rooms.handle_waiting();
    enter(rooms.stage, Stage::receive);
    rooms.counters.add(Counter::packets, burst.size());
    rooms.counters.add(Counter::packet_bytes, bytes);
    rooms.counters.add(wire::DecodeResult::ok, decoded);
    rooms.count_digests();
}

void Inspector::advance(Nanos now) noexcept { rooms_->run_timers(bounded(now)); }

bool Inspector::finish(std::size_t flows_max) noexcept {
    Rooms& rooms = *rooms_;
    std::size_t closed = 0;
    for (; rooms.finish_at < rooms.table->ids_end(); ++rooms.finish_at) {
        if (!rooms.table->live(rooms.finish_at)) continue;
        if (closed == flows_max) return false;
        const FlowHot& hot = (*rooms.table)[rooms.finish_at];
        close_flow(rooms, rooms.finish_at, hot.has(kEnded) ? hot.end_reason : EndReason::end);
        ++closed;
    }
    rooms.finish_at = 0;
    rooms.counters.set(rooms.decoder.fragment_counters());
    return true;
}

void Inspector::adopt(const signature::Generation* rules) noexcept { rooms_->matcher.adopt(rules); }
const signature::Matcher& Inspector::matcher() const noexcept { return rooms_->matcher; }
const Counters& Inspector::counters() const noexcept { return rooms_->counters; }
const StageCell& Inspector::stage() const noexcept { return rooms_->stage; }
BypassLink* Inspector::bypass() noexcept { return rooms_->bypass.get(); }
std::size_t Inspector::flow_count() const noexcept { return rooms_->table->size(); }

}  // namespace seine::pipeline
