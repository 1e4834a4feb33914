// Tokens of a connection: at its first request who and where, at its end what was asked.
#include "control/detect/observe.h"

#include <algorithm>
#include <cmath>

#include "control/detect/rules.h"
#include "dataplane/base/bytes.h"

namespace seine::detect {
namespace {

// Most tokens of a channel that an account keeps; the least and oldest goes.
constexpr std::array<std::uint8_t, kChannels> kKept = {10, 10, 8, 4, 3, 3, 8, 4, 0,
                                                       0,  0,  0, 0, 0, 1, 0, 0, 1, 1, 0, 10};
constexpr std::size_t kTokensMax = 64;
// contract::AccountFlags::declared_intermediary; that header is not for this floor.
constexpr std::uint16_t kDeclaredIntermediary = 64;

template <typename T>
void bump(T& counter) noexcept {
    if (counter != static_cast<T>(-1)) ++counter;
}

void add(std::uint8_t& counter, std::size_t n) noexcept {
    counter = static_cast<std::uint8_t>(std::min<std::size_t>(255, counter + n));
}

// Records tell how requests ended if they tell of one failure in so many connections.
constexpr std::uint64_t kFailureOf = 2'000;

// Organisations compare by this where their index may change.
std::uint32_t org_mark(const model::OrgTag& org) noexcept {
    return static_cast<std::uint32_t>(org.hash());
}

std::uint32_t flow_mark(const contract::FlowId& id) noexcept {
    return static_cast<std::uint32_t>(
        mix64(id.counter ^ 0x9e3779b97f4a7c15u,
              (static_cast<std::uint64_t>(id.epoch) << 16 | id.dataplane) | 1u));
}

}  // namespace

void ExitGaps::add(std::uint64_t key, std::size_t bin, std::uint16_t now_h) {
    Entry* entry = table_.find(key);
    if (entry == nullptr) {
        entry = &table_.place(key, now_h);
        *entry = {key, {}, now_h, 0};
    }
    entry->gaps.add(bin);
    entry->last_h = std::max(entry->last_h, now_h);
}

void ExitGaps::restore(const std::vector<Entry>& entries, std::uint16_t now_h) {
    for (const Entry& entry : entries) {
        if (entry.exit == 0) continue;
        Entry* const known = table_.find(entry.exit);
        (known != nullptr ? *known : table_.place(entry.exit, now_h)) = entry;
    }
}

std::uint64_t address_value(const model::Address& address) noexcept {
    return model::is_v4(address) ? load_be32(address.data() + 12) : load_be64(address.data());
}

Observer::Observer(const Options& options)
    : accounts(options.accounts_max),
      sessions(options.sessions_max),
      twins({}),
      exits(options.exits_max) {}

std::uint16_t Observer::hour(Nanos at) const noexcept {
    const std::int64_t h = (at.count - began.count) / kHour + 1;
    return static_cast<std::uint16_t>(std::clamp<std::int64_t>(h, 0, 65535));
}

void Observer::clock(Nanos at) {
    if (began.count == 0) began = {at.count - at.count % kHour};
    if (latest < at) latest = at;
}

std::uint32_t Observer::slot_of(const model::AccountTag& tag, const model::OrgTag& org, Nanos at) {
    const std::uint64_t evicted = accounts.evicted();
    const std::uint32_t slot = accounts.get(tag, org, at);
    if (accounts.evicted() != evicted) twins.forget_account(slot);  // it takes the freed slot
    return slot;
}

void Observer::mark_dirty(std::uint32_t slot) {
    if (accounts[slot].dirty) return;
    accounts[slot].dirty = true;
    dirty.push_back(slot);
}

void Observer::touch(Account& account, Channel channel, std::uint64_t value, const Seen& seen,
                     bool count) {
    if (value == 0) return;
    std::size_t of_channel = 0;
    Token* least = nullptr;
    for (Token& token : account.tokens) {
        if (token.channel != channel) continue;
        if (token.value == value) {
            token.last_h = std::max(token.last_h, seen.hour);
            if (count) bump(token.count);
            if (seen.ruled) token.net = static_cast<std::uint8_t>(seen.network.net);
            return;
        }
        ++of_channel;
        const auto worth = [](const Token& t) { return t.last_h + 4 * std::min<int>(t.count, 20); };
        if (least == nullptr || worth(token) < worth(*least)) least = &token;
    }
    const Token fresh{value, seen.hour, seen.hour,
                      1,     channel,   static_cast<std::uint8_t>(seen.network.net)};
    if (of_channel >= kKept[static_cast<std::size_t>(channel)] ||
        account.tokens.size() >= kTokensMax) {
        ++counters.tokens_evicted;
        if (least != nullptr) *least = fresh;
        return;
    }
    if (account.tokens.size() == account.tokens.capacity()) {
        accounts.reserve_tokens(account, account.tokens.size() + 4);
    }
    account.tokens.push_back(fresh);
}

void Observer::round_trip(Account& account, const model::Flow& flow, const Seen& seen) {
    if (!flow.rtt_known || !flow.rtt_valid || flow.tuple.proto != contract::Proto::tcp) {
        ++counters.gap_invalid;
        return;
    }
    if (seen.network.net == NetClass::hosting && flow.rtt_tls_us > flow.rtt_tcp_us) {
        crypto.add(seen.tls, flow.rtt_tls_us - flow.rtt_tcp_us);
    }
    const std::size_t bin = gap_bin(flow.rtt_tcp_us, flow.rtt_tls_us, crypto.crypto_us(seen.tls));
    account.gaps.add(bin);
    if (bin >= kRhoBins) way(account, flow, seen);
    exits.add(exit_key(seen.address, seen.tls), bin, seen.hour);
    ++counters.gap_samples;
}

// The least of both round trips: what is above it is a queue or a busy machine.
void Observer::way(Account& account, const model::Flow& flow, const Seen& seen) {
    const Way fresh(seen.address, flow.rtt_tls_us, flow.rtt_tcp_us);
    for (Token& token : account.tokens) {
        if (token.channel != Channel::way) continue;
        Way known(token.value);
        if (!known.is_of(seen.address)) continue;
        known.take(fresh);
        token.value = known.value();
        token.last_h = std::max(token.last_h, seen.hour);
        bump(token.count);
        return;
    }
    touch(account, Channel::way, fresh.value(), seen, true);
}

void Observer::share_sessions(std::uint32_t slot, const model::Sighting& sighting,
                              const Seen& seen) {
    const auto one = [&](std::uint64_t identity) {
        const SessionTable::Answer answer = sessions.touch(
            identity, slot, org_mark(accounts[slot].org), seen.network.asn, sighting.flow.t_open);
        if (answer.mobile) touch(accounts[slot], Channel::mobility, 1, seen, true);
        if (answer.other == 0xffffffffu || !accounts.live(answer.other)) return;
        // Whoever had it may have been evicted, and another one may have its place.
        if (org_mark(accounts[answer.other].org) != answer.org) return;
        ++counters.shared_sessions;
        touch(accounts[slot], Channel::session, identity, seen, true);
        touch(accounts[answer.other], Channel::session, identity, seen, true);
        accounts.link(slot, answer.other);
        mark_dirty(slot);
        mark_dirty(answer.other);
    };
    for (const std::uint64_t identity : sighting.flow.session_presented) one(identity);
    for (const std::uint64_t identity : sighting.flow.session_issued) one(identity);
}

void Observer::connection(Account& account, const model::Sighting& sighting,
                          const model::AccountUse& use, const Seen& seen) {
    const model::Flow& flow = sighting.flow;
    bump(account.connections);
    ++counters.connections;
    bump(account.by_class[static_cast<std::size_t>(seen.network.net)]);
    const std::int64_t day_ns = seen.at.count % kDay;
    bump(account.hours[static_cast<std::size_t>(day_ns / kHour)]);
    bump(account.days[static_cast<std::size_t>((seen.at.count / kDay + 4) % 7)]);
    touch(account, Channel::address, seen.address, seen, true);
    touch(account, Channel::prefix, seen.prefix, seen, true);
    touch(account, Channel::network, seen.network.asn, seen, true);
    const std::uint64_t headers = use.header_desc != 0 ? use.header_desc : flow.hdr_order;
    touch(account, Channel::tls, seen.tls, seen, true);
    touch(account, Channel::client, mix64(seen.tls ^ 0x9e37u, headers ^ 0xd6e8feb86659fd93u), seen,
          true);
    touch(account, Channel::syn, flow.syn, seen, true);
    if (use.model < model_since.size() && use.model != 0) {
        std::int64_t& since = model_since[use.model];
        if (since == 0 || seen.at.count < since) since = seen.at.count;
        const bool is_new = since - began.count > kDay && seen.at.count - since < 30 * kHour;
        if (is_new) touch(account, Channel::pivot, use.model, seen, true);
    }
    if (flow.late_hello_us >= kLateHelloUs) touch(account, Channel::late, 1, seen, true);
    round_trip(account, flow, seen);
}

// A record may tell how a request ended; where one came for each request of a connection, it is
// known. Where no record ever tells of a failure, all that is known is how long the answers were.
bool Observer::ended(const Recent& told, std::uint32_t response_bytes, Ending& ending) const {
    const bool all_told = told.records >= told.exchanges;
    if (response_bytes > Twins::kErrorBytesMax) return false;
    ending = all_told && told.limited > 0 ? Ending::limited : Ending::short_answer;
    const bool fails_are_told = counters.failures_told * kFailureOf >= counters.connections;
    return !all_told || told.limited > 0 || told.errors > 0 || !fails_are_told;
}

void Observer::exchanges(std::uint32_t slot, const model::Sighting& sighting, bool first_of_flow,
                         Recent& told) {
    const model::Flow& flow = sighting.flow;
    if (flow.exchanges.empty()) return;
    Account& account = accounts[slot];
    account.exchanges += static_cast<std::uint32_t>(flow.exchanges.size());
    add(told.exchanges, flow.exchanges.size());
    std::uint32_t least = 0xffffffffu;
    for (const model::Exchange& e : flow.exchanges) least = std::min(least, e.request_bytes);
    account.shapes.add(least);
    const model::Exchange& opening = flow.exchanges.front();
    if (first_of_flow) twins.head(flow.t_open, slot, org_mark(account.org), opening.request_bytes);
    const model::Exchange& last = flow.exchanges.back();
    Ending ending{};
    if (flow.closed && ended(told, last.response_bytes, ending)) {
        twins.tail(flow.t_open + last.start_ms * kMillisecond, slot, org_mark(account.org),
                   last.request_bytes, ending);
    }
}

void Observer::ask_rules(Seen& seen) const {
    if (rules_ == nullptr) return;
    const Origin origin{seen.address, seen.prefix, seen.network.asn, seen.tls};
    const NetClass net = rules_->class_of(origin, seen.network.net);
    seen.ruled = net != seen.network.net;
    seen.network.net = net;
    seen.intermediary = rules_->through_intermediary(origin);
}

void Observer::take(const model::Sighting& sighting) {
    const model::Flow& flow = sighting.flow;
    ++counters.sightings;
    clock(flow.closed ? flow.t_close : flow.t_open);
    Seen seen;
    seen.address = address_value(flow.tuple.client);
    seen.prefix = prefix_value(seen.address);
    seen.tls = flow.ja4_norm != 0 ? flow.ja4_norm : flow.ja4;
    seen.network = prefixes_.lookup(flow.tuple.client);
    ask_rules(seen);
    const std::uint32_t mark = flow_mark(flow.id);
    for (const model::AccountUse& use : sighting.uses) {
        if (!use.account.known()) continue;
        seen.at = use.t_first.count != 0 ? use.t_first : flow.t_open;
        seen.hour = hour(seen.at);
        const model::OrgTag org = use.org.known() ? use.org : model::OrgTag{use.account.bytes};
        const std::uint32_t slot = slot_of(use.account, org, seen.at);
        Account& account = accounts[slot];
        account.last = std::max(account.last, std::max(seen.at, use.t_last));
        if (use.first_seen_day != 0) account.first_seen_day = use.first_seen_day;
        account.tier = use.tier;
        account.trust = use.trust;
        mark_dirty(slot);
        // Who comes through a declared intermediary is judged by what is seen elsewhere.
        if (seen.intermediary || (use.flags & kDeclaredIntermediary) != 0) {
            ++counters.through_intermediary;
            account.exchanges += use.requests;
            continue;
        }
        auto told = std::find_if(account.recent.begin(), account.recent.end(),
                                 [mark](const Recent& r) { return r.mark == mark; });
        if (told == account.recent.end()) {
            std::move_backward(account.recent.begin(), account.recent.end() - 1,
                               account.recent.end());
            told = account.recent.begin();
            *told = {mark};
            connection(account, sighting, use, seen);
            share_sessions(slot, sighting, seen);
        }
        add(told->records, use.requests);
        add(told->limited, use.limited);
        add(told->errors, use.errors);
        counters.failures_told += use.limited + use.errors;
        if (sighting.uses.size() == 1) {
            const bool opening =
                !flow.exchanges.empty() && flow.exchanges.front().start_ms < 10'000;
            exchanges(slot, sighting, opening, *told);
        } else {
            account.exchanges += use.requests;
            touch(account, Channel::shared, mark, seen, true);
            ++counters.shared_connections;
        }
    }
}

void Observer::take(const model::AccountEvent& event) {
    ++counters.account_events;
    clock(event.at);
    using Kind = model::AccountEvent::Kind;
    if (event.kind == Kind::rekey) {
        if (!accounts.rename(event.previous, event.account)) ++counters.unknown_accounts;
        return;
    }
    std::uint32_t slot = accounts.find(event.account);
    if (slot == AccountTable::kNone) {
        if (event.kind == Kind::closed) {
            ++counters.unknown_accounts;
            return;
        }
        slot = slot_of(event.account,
                       event.org.known() ? event.org : model::OrgTag{event.account.bytes},
                       event.at);
    }
    Account& account = accounts[slot];
    if (event.org.known()) accounts.set_org(slot, event.org);
    if (event.first_seen_day != 0) account.first_seen_day = event.first_seen_day;
    if (event.declared_intermediary) account.flags |= Account::kIntermediary;
    if (event.tier != 0) account.tier = event.tier;
    if (event.kind == Kind::signup) {
        account.signup = event.at;
        account.flags |= Account::kSignupSeen;
    }
    if (event.kind == Kind::closed) {
        account.closed = event.at;
        account.flags |= Account::kClosed;
    }
    mark_dirty(slot);
}

}  // namespace seine::detect
