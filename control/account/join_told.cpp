// What the join hands out, and what passing time brings.
#include <algorithm>
#include <array>

#include "control/account/join_saved.h"
#include "control/account/joiner.h"

namespace seine::account {

// A number may stand for another connection by now: then that one's news are told.
void Joiner::tell_those_that_wait() {
    constexpr std::size_t kGroup = Connections::kExpectedMax;
    const std::span<const std::uint32_t> all = told_later_;
    const auto group = [all, kGroup](std::size_t from) {
        const auto rest = all.subspan(std::min(from, all.size()));
        return rest.first(std::min(kGroup, rest.size()));
    };
    connections_.expect_told(group(0));
    for (std::size_t from = 0; from < all.size(); from += kGroup) {
        connections_.expect_told(group(from + kGroup));
        expect_sightings(group(from));
        for (const std::uint32_t number : group(from)) {
            const Connection& c = connections_[number];
            if (c.has(Connection::kUsed) && c.use_count > 0 && c.has(Connection::kNews)) tell(number);
        }
    }
    told_later_.clear();
}

void Joiner::expect_sightings(std::span<const std::uint32_t> numbers) {
    std::array<JoinSink::Coming, Connections::kExpectedMax> coming;
    std::size_t count = 0;
    for (const std::uint32_t number : numbers) {
        const Connection& c = connections_[number];
        const Identity& who = connections_.identities()[connections_.use(c.uses).identity];
        coming[count++] = {{c.dataplane, c.flow_epoch, c.flow_counter}, {who.account}};
    }
    sink_.expect({coming.data(), count});
}

void Joiner::tell_news() {
    connections_.each_with_news([this](std::uint32_t number) {
        if (connections_[number].use_count > 0) tell(number);
    });
}

void Joiner::tell(std::uint32_t number) {
    connections_.tell(number, out_);
    ++counters_.sightings;
    sink_.sighting(out_);
}

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
        let_oldest_closed_go();
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
        remove_waiting(number);
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
               gateway->joined, gateway->duplicates, gateway->gaps, gateway->waiting});
    }
}

std::uint32_t Joiner::waiting_of(std::uint32_t gateway) const {
    const Gateway* const found = gateways_.find(gateway);
    return found == nullptr ? 0 : found->waiting;
}

}  // namespace seine::account
