// Flows in the join: begun, met again, ended, let go.
#include "control/account/joiner.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace seine::account {

void Joiner::expect(std::span<const FlowEvent> events) {
    connections_.expect(events);
    if (pending_.used() == 0) return;
    std::array<std::uint64_t, Connections::kExpectedMax> keys{};
    const std::size_t count = std::min(keys.size(), events.size());
    for (std::size_t i = 0; i < count; ++i) {
        const model::Tuple& tuple = events[i].flow->tuple;
        keys[i] = connections_.tuple_key(tuple.client, tuple.client_port, static_cast<std::uint8_t>(tuple.proto));
        pending_.fetch_head(keys[i]);
    }
    for (std::size_t i = 0; i < count; ++i) pending_.fetch_first(keys[i]);
}

void Joiner::flow(const FlowEvent& event, Nanos now) {
    const model::Flow& flow = *event.flow;
    std::uint32_t number = connections_.find_flow(flow.id);
    if (number == 0) {
        number = take_in(event, now.count);
    } else {
        const Connection& c = connections_[number];
        // Of two dataplanes that see a connection whole, one tells its exchanges.
        const bool first_teller = !c.has(Connection::kTwice) || (c.dataplane == flow.id.dataplane &&
                                                                 c.flow_epoch == flow.id.epoch);
        connections_.merge(number, event, first_teller || flow.seen != contract::Seen::both);
        // One that ends leaves the list of live ones anyway.
        if (event.kind != FlowEvent::Kind::close || c.has(Connection::kTwice)) connections_.touch(number, ms(now.count));
    }
    if (number != 0) {
        if (event.kind == FlowEvent::Kind::close) {
            close(number, event, now.count);
        } else if (connections_[number].use_count > 0 && connections_[number].has(Connection::kNews)) {
            tell(number);
        }
        judge_those_of(event, number);
    }
    progress_.reached(flow.id.dataplane, std::max(flow.t_open.count, flow.t_close.count),
                      now.count);
    judge_ready();
}

std::uint32_t Joiner::take_in(const FlowEvent& event, std::int64_t now) {
    if (const std::uint32_t half = other_half(event); half != 0) {
        connections_.add_flow_id(half, event.flow->id);
        connections_.merge(half, event, event.flow->seen != contract::Seen::both);
        connections_[half].set(Connection::kTwice);
        ++counters_.flows_two_dataplanes;
        return half;
    }
    end_reused(event, now);
    std::uint32_t number = connections_.add(event, ms(now));
    if (number == 0) {
        // The one that ended longest ago has had its chance; else the one longest silent.
        ++counters_.flows_evicted;
        if (connections_.oldest_closed() != 0) let_oldest_closed_go();
        else let_go(connections_.oldest_live());
        number = connections_.add(event, ms(now));
    }
    ++(event.kind == FlowEvent::Kind::open ? counters_.flows_opened : counters_.flows_unopened);
    return number;
}

// A connection of the same addresses that another dataplane told of at the same time.
std::uint32_t Joiner::other_half(const FlowEvent& event) noexcept {
    const model::Flow& flow = *event.flow;
    std::uint32_t found = 0;
    const auto look = [&](std::uint32_t number) {
        const Connection& c = connections_[number];
        const ServerEnd& server = connections_.servers()[c.server];
        if (c.dataplane != flow.id.dataplane && !c.has(Connection::kTwice) &&
            c.has(Connection::kCarried) == (event.carrier_port != 0) &&
            c.client == flow.tuple.client && server.address == flow.tuple.server &&
            server.port == flow.tuple.server_port &&
            std::abs(c.t_open - flow.t_open.count) <= config_.window_ns) {
            found = number;
        }
    };
    static_cast<void>(connections_.each_of_tuple(
        connections_.tuple_key(flow.tuple.client, flow.tuple.client_port,
                               static_cast<std::uint8_t>(flow.tuple.proto)),
        look));
    return found;
}

// Addresses that begin anew on one dataplane end whatever had them there.
void Joiner::end_reused(const FlowEvent& event, std::int64_t now) {
    const model::Flow& flow = *event.flow;
    std::uint32_t ended = 0;
    const auto look = [&](std::uint32_t number) {
        const Connection& c = connections_[number];
        const ServerEnd& server = connections_.servers()[c.server];
        if (!c.has(Connection::kClosed) && c.dataplane == flow.id.dataplane &&
            c.has(Connection::kCarried) == (event.carrier_port != 0) &&
            c.t_open < flow.t_open.count && c.client == flow.tuple.client &&
            c.client_port == flow.tuple.client_port && server.address == flow.tuple.server &&
            server.port == flow.tuple.server_port) {
            ended = number;
        }
    };
    static_cast<void>(connections_.each_of_tuple(
        connections_.tuple_key(flow.tuple.client, flow.tuple.client_port,
                               static_cast<std::uint8_t>(flow.tuple.proto)),
        look));
    if (ended == 0) return;
    connections_.close(ended, flow.t_open.count, ms(now));
    ++counters_.flows_reused;
    if (connections_[ended].use_count > 0) tell(ended);
}

void Joiner::close(std::uint32_t number, const FlowEvent& event, std::int64_t now) {
    Connection& c = connections_[number];
    if (c.has(Connection::kTwice) && !c.has(Connection::kHalfClosed)) {
        c.set(Connection::kHalfClosed);
        if (c.use_count > 0 && c.has(Connection::kNews)) tell(number);
        return;
    }
    const bool again = c.has(Connection::kClosed);
    const std::int64_t end =
        std::max(event.flow->t_close.count, c.has(Connection::kHalfClosed) ? c.t_close : 0);
    connections_.close(number, end, ms(now));
    if (!again) ++counters_.flows_closed;
    if (c.use_count > 0 && (!again || c.has(Connection::kNews))) tell(number);
}

void Joiner::let_go(std::uint32_t number) {
    const Connection& c = connections_[number];
    if (c.use_count == 0) ++counters_.flows_anonymous;
    if (c.use_count > 0 && c.has(Connection::kNews)) tell(number);
    connections_.remove(number);
}

void Joiner::let_oldest_closed_go() {
    if (let_go_++ % Connections::kExpectedMax == 0) connections_.expect_oldest_closed();
    let_go(connections_.oldest_closed());
}

void Joiner::judge_those_of(const FlowEvent& event, std::uint32_t number) {
    if (pending_.used() == 0) return;
    const Connection& c = connections_[number];
    const model::Tuple& tuple = event.flow->tuple;
    const std::uint64_t keys[] = {
        connections_.tuple_key(tuple.client, tuple.client_port, c.proto),
        event.carrier_port == 0
            ? 0
            : connections_.tuple_key(event.carrier, event.carrier_port, c.proto),
        event.unique_id == 0 ? 0 : connections_.id_key(event.unique_id)};
    for (const std::uint64_t key : keys) {
        if (key == 0) continue;
        for (std::uint32_t at = pending_.of_key(key); at != 0;) {
            const std::uint32_t next = pending_.next_of_key(at);
            if (ready(pending_[at])) static_cast<void>(judge_waiting(at, false));
            at = next;
        }
    }
    judge_again();
}

Result<std::unique_ptr<Join>> Join::make(const JoinConfig& config, JoinSink& sink) {
    auto connections = Connections::make(config.connections_max, config.hash_seed);
    if (!connections) return connections.error();
    auto pending = Pending::make(config.pending_bytes_max);
    if (!pending) return pending.error();
    return std::unique_ptr<Join>(
        new Joiner(config, sink, std::move(*connections), std::move(*pending)));
}

}  // namespace seine::account
