// Account records in the join: taken, kept waiting, judged, and put to their connection.
#include <algorithm>
#include <array>

#include "control/account/claim.h"
#include "control/account/joiner.h"

namespace seine::account {

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
    const Gateway& gateway = *gateways_.all()[claim.gateway];
    const std::int64_t at = claim.t_req - gateway.clock.offset_ns();
    return at <= progress_.until(gateway.asks()) || at > claim.received + config_.window_ns;
}

// Not ready, and only because one dataplane is far behind another: nobody behind it in the queue waits
// for it. It is judged when its flow comes, or settled.
bool Joiner::left_behind(const Claim& claim) const noexcept {
    const std::int64_t at = claim.t_req - gateways_.all()[claim.gateway]->clock.offset_ns();
    return at + kFarBehind <= progress_.fastest();
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
    remove_waiting(number);
    return true;
}

void Joiner::judge_ready() {
    while (const std::uint32_t at = pending_.marked(Pending::ready)) {
        if (!ready(pending_[at])) {
            if (!left_behind(pending_[at])) break;
            pending_.step(Pending::ready);
            continue;
        }
        if (expected_ == 0) expect_waiting(at);
        --expected_;
        if (!judge_waiting(at, false)) pending_.step(Pending::ready);
    }
    judge_again();
}

// From this one on, those that are judged next.
void Joiner::expect_waiting(std::uint32_t number) {
    std::array<const Claim*, Connections::kExpectedMax> claims{};
    expected_ = 0;
    for (; number != 0 && expected_ < claims.size() && ready(pending_[number]); number = pending_.after(number))
        claims[expected_++] = &pending_[number];
    connections_.expect(std::span<const Claim* const>(claims.data(), expected_));
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
    ++gateways_[claim.gateway].waiting;
    if (pending_.add(claim) != 0) return;
    drop(pending_.oldest(), &JoinCounters::records_evicted);
    static_cast<void>(pending_.add(claim));
}

void Joiner::drop(std::uint32_t number, Outcome counter) {
    counters_.*counter += 1;
    forget(pending_[number]);
    remove_waiting(number);
}

void Joiner::remove_waiting(std::uint32_t number) {
    --gateways_[pending_[number].gateway].waiting;
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
    if (progress_.more_than_one()) gateway.served_by(progress_.bit_of(c.dataplane));
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
    connections_.add_news(target);
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

}  // namespace seine::account
