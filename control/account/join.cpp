#include "control/account/join.h"

#include <algorithm>
#include <cstring>

#include "control/account/claim.h"
#include "control/account/connections.h"
#include "control/account/gateways.h"
#include "control/account/join_saved.h"
#include "control/account/match.h"
#include "control/account/pending.h"
#include "control/account/progress.h"

namespace seine::account {
namespace {

using Outcome = std::uint64_t JoinCounters::*;

class Joiner final : public Join {
  public:
    Joiner(const JoinConfig& config, JoinSink& sink, Connections connections, Pending pending)
        : config_(config),
          sink_(sink),
          connections_(std::move(connections)),
          pending_(std::move(pending)),
          gateways_(config.gateways_max) {
        if (config.told_at_tick) told_later_.reserve(kToldLaterMax);
    }

    void flow(const FlowEvent& event, Nanos now) override;
    void record(const SourceRecord& record, Nanos now) override;
    void flows_complete(std::uint16_t dataplane, Nanos until, Nanos now) override {
        progress_.reached(dataplane, until.count, now.count);
        judge_ready();
    }
    void tick(Nanos now) override;
    void save(std::string& state, bool connections) const override;
    bool restore(std::string_view state) override;
    void tell_news() override;
    void finish() override;
    const JoinCounters& counters() const override { return counters_; }
    JoinState state() const override;
    void gateways(const std::function<void(const GatewayState&)>& visit) const override;

  private:
    [[nodiscard]] std::uint32_t ms(std::int64_t now) const noexcept {
        return static_cast<std::uint32_t>(now / kMillisecond);
    }
    // Flows.
    std::uint32_t take_in(const FlowEvent& event, std::int64_t now);
    std::uint32_t other_half(const FlowEvent& event) noexcept;
    void end_reused(const FlowEvent& event, std::int64_t now);
    void close(std::uint32_t number, const FlowEvent& event, std::int64_t now);
    void let_go(std::uint32_t number);
    void judge_those_of(const FlowEvent& event, std::uint32_t number);
    // Records.
    bool tell_event(const SourceRecord& record, const Gateway& gateway);
    bool is_repeat(const SourceRecord& record, Gateway& gateway);
    [[nodiscard]] bool ready(const Claim& claim) const noexcept;
    bool judge(Claim& claim, bool settled, Outcome& lost);
    bool judge_waiting(std::uint32_t number, bool settled);
    void judge_ready();
    void judge_again();
    void drop(std::uint32_t number, Outcome counter);
    void wait(const Claim& claim);
    void attach(const Claim& claim, const Match& match);
    void give_up(std::uint32_t number);
    void tell(std::uint32_t number);
    void tell_those_that_wait();
    [[nodiscard]] bool has_news(const Connection& connection) noexcept;
    void forget(const Claim& claim) noexcept;

    JoinConfig config_;
    JoinSink& sink_;
    Connections connections_;
    Pending pending_;
    Gateways gateways_;
    Progress progress_;
    JoinCounters counters_;
    model::Sighting out_;
    static constexpr std::size_t kToldLaterMax = 65'536;
    std::vector<std::uint32_t> told_later_;  // connections with news, until the next tick
    std::uint16_t jumped_ =
        Gateways::kNone;  // a gateway whose waiting records are to be judged anew
};

// ---- flows

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
        connections_.touch(number, ms(now.count));
    }
    if (number != 0) {
        if (event.kind == FlowEvent::Kind::close) {
            close(number, event, now.count);
        } else if (connections_[number].use_count > 0 && has_news(connections_[number])) {
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
        std::uint32_t victim = connections_.oldest_closed();
        if (victim == 0) victim = connections_.oldest_live();
        ++counters_.flows_evicted;
        let_go(victim);
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
        if (c.use_count > 0 && has_news(c)) tell(number);
        return;
    }
    const bool again = c.has(Connection::kClosed);
    const std::int64_t end =
        std::max(event.flow->t_close.count, c.has(Connection::kHalfClosed) ? c.t_close : 0);
    connections_.close(number, end, ms(now));
    if (!again) ++counters_.flows_closed;
    if (c.use_count > 0 && (!again || has_news(c))) tell(number);
}

void Joiner::let_go(std::uint32_t number) {
    const Connection& c = connections_[number];
    if (c.use_count == 0) ++counters_.flows_anonymous;
    if (c.use_count > 0 && has_news(c)) tell(number);
    connections_.remove(number);
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

// ---- records

void Joiner::record(const SourceRecord& record, Nanos now) {
    ++counters_.records;
    const std::uint16_t place = gateways_.place_of(record.record.gateway_id);
    const bool anonymous = record.record.account_tag == std::array<std::uint8_t, 16>{};
    if (place == Gateways::kNone || anonymous) {
        ++counters_.records_refused;
        return;
    }
    Gateway& gateway = gateways_[place];
    ++gateway.records;
    if (record.sequenced && is_repeat(record, gateway)) return;
    if (tell_event(record, gateway)) {
        ++counters_.records_told;
        return;
    }
    Claim claim{};
    if (!read_claim(connections_, record, place, now, claim)) {
        ++counters_.records_refused;
        return;
    }
    if (!ready(claim)) {
        wait(claim);
        return;
    }
    Outcome lost = nullptr;
    if (judge(claim, false, lost)) {
        ++counters_.joined_at_once;
    } else {
        wait(claim);
    }
    judge_again();
}

bool Joiner::is_repeat(const SourceRecord& record, Gateway& gateway) {
    const std::uint64_t gaps = gateway.gaps;
    const auto answer = gateway.take(record.record.boot_epoch, record.record.seq);
    counters_.sequence_gaps += gateway.gaps - gaps;
    switch (answer) {
        case contract::SequenceWindow::Answer::fresh:
            return false;
        case contract::SequenceWindow::Answer::duplicate:
            ++counters_.records_duplicate;
            ++gateway.duplicates;
            return true;
        case contract::SequenceWindow::Answer::too_old:
            break;
    }
    ++counters_.records_too_old;
    return true;
}

// True when nothing is left to join.
bool Joiner::tell_event(const SourceRecord& source, const Gateway& gateway) {
    const contract::AccountRecord& r = source.record;
    const bool signup = (r.flags & contract::AccountFlags::signup) != 0;
    if (r.type == contract::AccountType::request && !signup) return false;
    model::AccountEvent event;
    using Kind = model::AccountEvent::Kind;
    event.kind = r.type == contract::AccountType::request  ? Kind::signup
                 : r.type == contract::AccountType::rekey  ? Kind::rekey
                 : r.type == contract::AccountType::closed ? Kind::closed
                                                           : Kind::directory;
    event.at = {static_cast<std::int64_t>(r.t_req_us) * kMicrosecond - gateway.clock.offset_ns()};
    event.account.bytes = r.account_tag;
    if (r.type == contract::AccountType::rekey) {
        event.previous.bytes = r.org_tag;
    } else {
        event.org.bytes = r.org_tag;
    }
    event.first_seen_day = r.first_seen_day;
    event.tier = r.tier;
    event.declared_intermediary = (r.flags & contract::AccountFlags::declared_intermediary) != 0;
    ++counters_.events;
    sink_.account_event(event);
    return r.type != contract::AccountType::request ||
           (r.client_port == 0 && source.unique_id == 0);
}

// Flow events have come as far as the claim's time; a time from the future is not waited for.
bool Joiner::ready(const Claim& claim) const noexcept {
    const std::int64_t at = claim.t_req - gateways_.all()[claim.gateway]->clock.offset_ns();
    return at <= progress_.until() || at > claim.received + config_.window_ns;
}

// True when joined. Otherwise `lost` says what it would count as if nothing more came, nullptr for
// ambiguous (which a settled claim counts at once).
bool Joiner::judge(Claim& claim, bool settled, Outcome& lost) {
    Gateway& gateway = *gateways_.all()[claim.gateway];
    std::int64_t difference = 0;
    if (claim.sampled == 0 &&
        clock_sample(connections_, claim, gateway.clock.offset_ns(), difference)) {
        claim.sampled = 1;
        if (gateway.clock.sample(difference, kSecond)) {
            ++counters_.clock_jumps;
            jumped_ = claim.gateway;
        }
    }
    const std::int64_t offset = gateway.clock.offset_ns();
    Match match = match_now(connections_, claim, offset, config_);
    const bool nothing = match.kind == Match::Kind::none || match.kind == Match::Kind::off_time;
    if (settled && nothing) {
        const Match last = match_last(connections_, claim, offset, config_);
        if (last.kind != Match::Kind::none) match = last;
    }
    lost = match.kind == Match::Kind::off_time ? &JoinCounters::records_off_time
                                               : &JoinCounters::records_unmatched;
    if (match.kind == Match::Kind::ambiguous) lost = &JoinCounters::records_ambiguous;
    if (match.kind == Match::Kind::clear || (match.kind == Match::Kind::barely && settled)) {
        attach(claim, match);
        return true;
    }
    return false;
}

bool Joiner::judge_waiting(std::uint32_t number, bool settled) {
    Outcome lost = nullptr;
    Claim& claim = pending_[number];
    if (judge(claim, settled, lost)) {
        ++counters_.joined_waited;
    } else if (settled && lost == &JoinCounters::records_ambiguous) {
        counters_.*lost += 1;
        forget(claim);
    } else {
        return false;
    }
    pending_.remove(number);
    return true;
}

void Joiner::judge_ready() {
    while (const std::uint32_t at = pending_.marked(Pending::ready)) {
        if (!ready(pending_[at])) break;
        if (!judge_waiting(at, false)) pending_.step(Pending::ready);
    }
    judge_again();
}

// A gateway's offset moved: its waiting records may fit now.
void Joiner::judge_again() {
    if (jumped_ == Gateways::kNone) return;
    const std::uint16_t gateway = std::exchange(jumped_, Gateways::kNone);
    for (std::uint32_t at = pending_.oldest(); at != 0;) {
        const std::uint32_t next = pending_.after(at);
        if (pending_[at].gateway == gateway && ready(pending_[at])) {
            static_cast<void>(judge_waiting(at, false));
        }
        at = next;
    }
    jumped_ = Gateways::kNone;
}

void Joiner::wait(const Claim& claim) {
    std::uint32_t number = pending_.add(claim);
    if (number != 0) return;
    drop(pending_.oldest(), &JoinCounters::records_evicted);
    static_cast<void>(pending_.add(claim));
}

void Joiner::drop(std::uint32_t number, Outcome counter) {
    counters_.*counter += 1;
    forget(pending_[number]);
    pending_.remove(number);
}

// Gives back what a claim holds.
void Joiner::forget(const Claim& claim) noexcept {
    connections_.identities().release(claim.identity);
    connections_.servers().release(claim.server);
}

void Joiner::attach(const Claim& claim, const Match& match) {
    std::uint32_t target = match.connection;
    if (connections_[target].has(Connection::kCarried)) {
        target = outer_leg(connections_, target, config_.window_ns);
    }
    Connection& c = connections_[target];
    ++counters_.records_joined;
    Gateway& gateway = *gateways_.all()[claim.gateway];
    ++gateway.joined;
    if (match.by == Match::By::id) ++counters_.joined_by_id;
    if (match.by == Match::By::session) ++counters_.joined_by_session;
    if (match.by == Match::By::address_alone) ++counters_.joined_by_address;
    if (c.has(Connection::kClosed)) ++counters_.joined_late;
    connections_.servers().release(claim.server);
    if (claim.request != 0) {
        const Identity& who = connections_.identities()[claim.identity];
        sink_.request_joined(claim.request, {c.dataplane, c.flow_epoch, c.flow_counter},
                             {who.account}, {who.org});
    }
    std::uint32_t number =
        connections_.find_use(c, connections_.identities()[claim.identity].account);
    const bool fresh = number == 0;
    if (fresh) {
        if (c.use_count < model::kAccountsPerConnectionMax) {
            number = connections_.add_use(c, claim.identity);
        }
        if (number == 0) {
            c.set(Connection::kOverflow);
            ++counters_.accounts_overflow;
            connections_.identities().release(claim.identity);
            return;
        }
    }
    Use& use = connections_.use(number);
    if (!fresh) {
        // The newest is what the gateway now says of the account: its key, tier and so on.
        connections_.identities().release(use.identity);
        use.identity = claim.identity;
    }
    const std::int64_t after = claim.t_req - gateway.clock.offset_ns() - c.t_open;
    const auto at = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(after / kMillisecond, INT32_MIN, INT32_MAX));
    use.first_ms = use.requests == 0 ? at : std::min(use.first_ms, at);
    use.last_ms = use.requests == 0 ? at : std::max(use.last_ms, at);
    ++use.requests;
    const auto count = [](std::uint16_t& counter, bool yes) {
        if (yes && counter != UINT16_MAX) ++counter;
    };
    count(use.limited, claim.limit_flag != 0);
    count(use.errors, claim.status_class == 4 || claim.status_class == 5);
    use.flags |= claim.flags;
    use.endpoint = claim.endpoint;
    use.model = claim.model;
    use.mode = claim.mode;
    if (claim.header_desc != 0) use.header_desc = claim.header_desc;
    if (claim.session_hint != 0) use.session_hint = claim.session_hint;
    if (!fresh && !c.has(Connection::kClosed)) return;
    if (!config_.told_at_tick || told_later_.size() >= kToldLaterMax) return tell(target);
    if (told_later_.empty() || told_later_.back() != target) told_later_.push_back(target);
}

// A number may stand for another connection by now: then that one's news are told.
void Joiner::tell_those_that_wait() {
    for (const std::uint32_t number : told_later_) {
        const Connection& c = connections_[number];
        if (c.has(Connection::kUsed) && c.use_count > 0 && has_news(c)) tell(number);
    }
    told_later_.clear();
}

void Joiner::tell_news() {
    for (const std::uint32_t oldest : {connections_.oldest_live(), connections_.oldest_closed()}) {
        for (std::uint32_t at = oldest; at != 0; at = connections_[at].after) {
            if (connections_[at].use_count > 0 && has_news(connections_[at])) tell(at);
        }
    }
}

bool Joiner::has_news(const Connection& connection) noexcept {
    if (connection.exchanges != 0) return true;
    for (std::uint32_t at = connection.uses; at != 0; at = connections_.use(at).next) {
        if (connections_.use(at).requests != 0) return true;
    }
    return false;
}

void Joiner::tell(std::uint32_t number) {
    connections_.tell(number, out_);
    ++counters_.sightings;
    sink_.sighting(out_);
}

// ---- time

void Joiner::tick(Nanos now) {
    tell_those_that_wait();
    while (const std::uint32_t at = pending_.marked(Pending::settled)) {
        if (now.count - pending_[at].received < config_.settle_ns) break;
        if (!judge_waiting(at, true)) pending_.step(Pending::settled);
    }
    judge_again();
    while (const std::uint32_t at = pending_.oldest()) {
        if (now.count - pending_[at].received < config_.wait_ns) break;
        give_up(at);
    }
    const std::uint32_t now_ms = ms(now.count);
    const auto older = [&](std::uint32_t number, std::int64_t age_ns) {
        return number != 0 && now_ms - connections_[number].touched_ms >=
                                  static_cast<std::uint32_t>(age_ns / kMillisecond);
    };
    while (older(connections_.oldest_closed(), config_.linger_ns)) {
        let_go(connections_.oldest_closed());
    }
    while (older(connections_.oldest_live(), config_.idle_ns)) {
        ++counters_.flows_idle;
        let_go(connections_.oldest_live());
    }
}

// The last word on a waiting record.
void Joiner::give_up(std::uint32_t number) {
    Outcome lost = nullptr;
    if (judge(pending_[number], true, lost)) {
        ++counters_.joined_waited;
        pending_.remove(number);
        return;
    }
    drop(number, lost);
}

void Joiner::finish() {
    // Twice: an offset learned on the way lets others fit.
    for (std::uint32_t at = pending_.oldest(); at != 0;) {
        const std::uint32_t next = pending_.after(at);
        static_cast<void>(judge_waiting(at, true));
        at = next;
    }
    while (const std::uint32_t at = pending_.oldest()) give_up(at);
    while (const std::uint32_t at = connections_.oldest_closed()) let_go(at);
    while (const std::uint32_t at = connections_.oldest_live()) let_go(at);
    told_later_.clear();
}

void Joiner::save(std::string& state, bool connections) const {
    save_join(state, config_.hash_seed, counters_, gateways_, connections_, pending_, connections);
}

bool Joiner::restore(std::string_view state) {
    return restore_join(state, config_.hash_seed, counters_, gateways_, connections_,
                        [this](const Claim& claim) { wait(claim); });
}

JoinState Joiner::state() const {
    JoinState state;
    state.connections = connections_.used();
    state.pending = pending_.used();
    state.gateways = static_cast<std::uint32_t>(gateways_.all().size());
    state.connection_bytes = connections_.bytes();
    state.pending_bytes = pending_.bytes();
    state.exchanges_dropped = connections_.counters().exchanges_dropped;
    state.sessions_dropped = connections_.counters().sessions_dropped;
    state.keys_dropped = connections_.counters().keys_dropped;
    return state;
}

void Joiner::gateways(const std::function<void(const GatewayState&)>& visit) const {
    for (const auto& gateway : gateways_.all()) {
        visit({gateway->id, gateway->clock.offset_ns(), gateway->clock.learned(), gateway->records,
               gateway->joined, gateway->duplicates, gateway->gaps});
    }
}

}  // namespace

Result<std::unique_ptr<Join>> Join::make(const JoinConfig& config, JoinSink& sink) {
    auto connections = Connections::make(config.connections_max, config.hash_seed);
    if (!connections) return connections.error();
    auto pending = Pending::make(config.pending_bytes_max);
    if (!pending) return pending.error();
    return std::unique_ptr<Join>(
        new Joiner(config, sink, std::move(*connections), std::move(*pending)));
}

}  // namespace seine::account
