#include "control/account/connections.h"

#include <algorithm>

namespace seine::account {
namespace {

constexpr std::uint32_t kPresented = 0;
constexpr std::uint32_t kIssued = 1;

enum KeyKind : std::uint64_t { kTuple = 1, kAddress = 2, kFlow = 3, kId = 4, kSession = 5 };

std::uint64_t mix(std::uint64_t seed, KeyKind kind, std::uint64_t a, std::uint64_t b) noexcept {
    constexpr std::uint64_t kOdd0 = 0x9e3779b97f4a7c15u;
    constexpr std::uint64_t kOdd1 = 0xd6e8feb86659fd93u;
    const std::uint64_t first = mix64(a ^ seed ^ kOdd0, b ^ (kOdd1 * kind));
    return mix64(first ^ kOdd1, seed ^ kOdd0 ^ kind);
}

template <typename T>
bool make_into(T& out, Result<T> made, Status& status) {
    if (!made) {
        status = made.error();
        return false;
    }
    out = std::move(*made);
    return true;
}

}  // namespace

Result<Connections> Connections::make(std::uint32_t connections_max, std::uint64_t seed) {
    constexpr const char* kWhat = "account join";
    Connections t;
    t.seed_ = seed;
    Status status;
    const std::uint32_t n = connections_max;
    const bool ok =
        make_into(t.pool_, Pool<Connection>::make(n, kWhat), status) &&
        make_into(t.keys_, Pool<Key>::make(4 * n, kWhat), status) &&
        make_into(t.items_, Pool<Item>::make(8 * n, kWhat), status) &&
        make_into(t.uses_, Pool<Use>::make(2 * n, kWhat), status) &&
        make_into(t.tuples_, Heads::make(n, kWhat), status) &&
        make_into(t.flows_, Heads::make(n, kWhat), status) &&
        make_into(t.others_, Heads::make(n, kWhat), status) &&
        make_into(t.closed_, NumberQueue::make(n, kWhat), status) &&
        make_into(t.news_, NumberQueue::make(2 * n, kWhat), status) &&
        // As many as connections, so that random hellos cannot fill them before the table is full.
        make_into(t.stacks_, Interner<StackFacts>::make(n, seed, kWhat), status) &&
        make_into(t.servers_, Interner<ServerEnd>::make(2 * n, seed, kWhat), status) &&
        make_into(t.identities_, Interner<Identity>::make(4 * n, seed, kWhat), status);
    if (!ok) return status;
    return t;
}

std::uint64_t Connections::tuple_key(const model::Address& client, std::uint16_t port,
                                     std::uint8_t proto) const noexcept {
    const std::uint64_t rest = std::uint64_t{port} << 8 | proto;
    return mix(seed_ + rest, kTuple, load_le64(client.data()), load_le64(client.data() + 8));
}
std::uint64_t Connections::address_key(const model::Address& client) const noexcept {
    return mix(seed_, kAddress, load_le64(client.data()), load_le64(client.data() + 8));
}
std::uint64_t Connections::id_key(std::uint64_t unique_id) const noexcept {
    return mix(seed_, kId, unique_id, 0);
}
std::uint64_t Connections::session_key(std::uint64_t hash) const noexcept {
    return mix(seed_, kSession, hash, 0);
}
std::uint64_t Connections::flow_key(const contract::FlowId& id) const noexcept {
    return mix(seed_, kFlow, id.counter, std::uint64_t{id.dataplane} << 32 | id.epoch);
}

std::uint32_t Connections::find_flow(const contract::FlowId& id) const noexcept {
    const std::uint64_t key = flow_key(id);
    for (std::uint32_t at = flows_.of(key); at != 0; at = pool_[at].next_flow) {
        const Connection& c = pool_[at];
        if (c.flow_counter == id.counter && c.flow_epoch == id.epoch &&
            c.dataplane == id.dataplane) {
            return at;
        }
    }
    std::uint32_t found = 0;
    static_cast<void>(each_of_key(key, [&found](std::uint32_t at) { found = at; }));
    return found;
}

std::uint32_t Connections::add(const FlowEvent& event, std::uint32_t now_ms) noexcept {
    const model::Flow& flow = *event.flow;
    const std::uint32_t number = pool_.take();
    if (number == 0) return 0;
    Connection& c = pool_[number];
    c.flags = Connection::kUsed;
    c.client = flow.tuple.client;
    c.client_port = flow.tuple.client_port;
    c.proto = static_cast<std::uint8_t>(flow.tuple.proto);
    c.server = servers_.hold({flow.tuple.server, flow.tuple.server_port});
    c.flow_counter = flow.id.counter;
    c.flow_epoch = flow.id.epoch;
    c.dataplane = flow.id.dataplane;
    c.t_open = flow.t_open.count;
    c.t_close = std::max(flow.t_open.count, flow.t_close.count);
    c.seen = static_cast<std::uint8_t>(flow.seen);
    std::uint32_t& tuple_head = tuples_.of(tuple_key_of(c));
    c.next_tuple = tuple_head;
    tuple_head = number;
    std::uint32_t& flow_head = flows_.of(flow_key(flow.id));
    c.next_flow = flow_head;
    flow_head = number;
    c.touched_ms = now_ms;
    append_live(number);
    if (c.proto == static_cast<std::uint8_t>(contract::Proto::udp)) {
        add_key(number, address_key(c.client));
    }
    merge(number, event, true);
    return number;
}

void Connections::merge(std::uint32_t number, const FlowEvent& event,
                        bool with_exchanges) noexcept {
    Connection& c = pool_[number];
    const model::Flow& flow = *event.flow;
    // Times of uses count from t_open, so it stays once there are any.
    if (c.use_count == 0) c.t_open = std::min(c.t_open, flow.t_open.count);
    c.t_close = std::max(c.t_close, flow.t_close.count);
    if (c.seen != static_cast<std::uint8_t>(flow.seen)) {
        c.seen = static_cast<std::uint8_t>(contract::Seen::both);
    }
    if (flow.ttl != 0 && c.ttl == 0) c.ttl = flow.ttl;
    if (flow.rtt_known && !c.has(Connection::kRttKnown)) {
        c.set(Connection::kRttKnown);
        if (flow.rtt_valid) c.set(Connection::kRttValid);
        c.rtt_tcp_us = flow.rtt_tcp_us;
        c.rtt_tls_us = flow.rtt_tls_us;
    }
    if (flow.late_hello_us != 0 && c.late_hello_us == 0) c.late_hello_us = flow.late_hello_us;
    c.retrans = std::max(c.retrans, flow.retrans);
    merge_stack(c, flow);
    for (const std::uint64_t hash : flow.session_presented) add_session(number, hash, kPresented);
    for (const std::uint64_t hash : flow.session_issued) add_session(number, hash, kIssued);
    if (with_exchanges) {
        for (const model::Exchange& exchange : flow.exchanges) add_exchange(number, exchange);
    }
    add_ways_to_find(number, event);
}

void Connections::merge_stack(Connection& connection, const model::Flow& flow) noexcept {
    StackFacts facts = stacks_[connection.stack];
    const auto fill = [](model::ValueId& have, model::ValueId told) {
        if (have == 0) have = told;
    };
    fill(facts.ja4, flow.ja4);
    fill(facts.ja4_norm, flow.ja4_norm);
    fill(facts.hdr_order, flow.hdr_order);
    fill(facts.h2_settings, flow.h2_settings);
    fill(facts.syn, flow.syn);
    fill(facts.user_agent, flow.user_agent);
    const std::uint32_t held = stacks_.hold(facts);
    stacks_.release(connection.stack);
    connection.stack = held;
}

void Connections::add_ways_to_find(std::uint32_t number, const FlowEvent& event) noexcept {
    Connection& c = pool_[number];
    const model::Tuple& tuple = event.flow->tuple;
    if (event.carrier_port != 0) {
        c.set(Connection::kCarried);
        add_key(number, tuple_key(event.carrier, event.carrier_port, c.proto));
    }
    if (event.unique_id != 0) add_key(number, id_key(event.unique_id));
    // A connection that moved (RFC 9000 section 9) is found under each address it had.
    const bool moved =
        tuple.client_port != 0 && (tuple.client != c.client || tuple.client_port != c.client_port);
    if (moved) {
        add_key(number, tuple_key(tuple.client, tuple.client_port, c.proto));
        if (tuple.client != c.client) add_key(number, address_key(tuple.client));
    }
}

void Connections::add_flow_id(std::uint32_t number, const contract::FlowId& id) noexcept {
    add_key(number, flow_key(id));
}

void Connections::add_key(std::uint32_t number, std::uint64_t value) noexcept {
    Connection& c = pool_[number];
    unsigned count = 0;
    for (std::uint32_t at = c.keys; at != 0; at = keys_[at].sibling) {
        if (keys_[at].value == value) return;
        ++count;
    }
    const std::uint32_t made = count < kKeysMax ? keys_.take() : 0;
    if (made == 0) {
        ++counters_.keys_dropped;
        return;
    }
    std::uint32_t& head = others_.of(value);
    keys_[made] = {value, number, head, c.keys, 0};
    head = made;
    c.keys = made;
}

void Connections::add_session(std::uint32_t number, std::uint64_t hash,
                              std::uint32_t kind) noexcept {
    Connection& c = pool_[number];
    std::uint32_t* link = &c.sessions;
    for (; *link != 0; link = &items_[*link].next) {
        std::uint64_t have = 0;
        std::memcpy(&have, items_[*link].words, sizeof have);
        if (have == hash && items_[*link].words[2] == kind) return;
    }
    const std::uint32_t made = c.session_count < kSessionsMax ? items_.take() : 0;
    if (made == 0) {
        ++counters_.sessions_dropped;
        return;
    }
    std::memcpy(items_[made].words, &hash, sizeof hash);
    items_[made].words[2] = kind;
    *link = made;
    ++c.session_count;
    add_key(number, session_key(hash));
}

void Connections::add_exchange(std::uint32_t number, const model::Exchange& exchange) noexcept {
    Connection& connection = pool_[number];
    const std::uint32_t made = connection.exchange_count < kExchangesHeldMax ? items_.take() : 0;
    if (made == 0) {
        ++counters_.exchanges_dropped;
        return;
    }
    items_[made] = {{exchange.start_ms, exchange.request_bytes, exchange.response_bytes}, 0};
    std::uint32_t* link = &connection.exchanges;
    while (*link != 0) link = &items_[*link].next;
    *link = made;
    ++connection.exchange_count;
    add_news(number);
}

// One whose number was given to another meanwhile stands in the list once more than it is marked, so
// the list is tidied before it is longer than twice the table.
void Connections::add_news(std::uint32_t number) noexcept {
    Connection& c = pool_[number];
    c.set(Connection::kNews);
    if (c.has(Connection::kListed)) return;
    if (news_.size() >= 2 * pool_.capacity()) tidy_news();
    c.set(Connection::kListed);
    news_.push(number);
}

void Connections::tidy_news() noexcept {
    const std::uint32_t count = news_.size();
    for (std::uint32_t i = 0; i < count; ++i) pool_[news_.at(i)].clear(Connection::kListed);
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t number = news_.at(i);
        Connection& c = pool_[number];
        if (!c.has(Connection::kNews) || c.has(Connection::kListed)) continue;
        c.set(Connection::kListed);
        news_.put(kept++, number);
    }
    news_.keep(kept);
}

void Connections::close(std::uint32_t number, std::int64_t t_close, std::uint32_t now_ms) noexcept {
    Connection& c = pool_[number];
    c.t_close = std::max(c.t_open, t_close);
    if (c.has(Connection::kClosed)) return;
    unlink_live(number);
    c.set(Connection::kClosed);
    c.touched_ms = now_ms;
    closed_.push(number);
}

void Connections::touch(std::uint32_t number, std::uint32_t now_ms) noexcept {
    Connection& c = pool_[number];
    if (c.has(Connection::kClosed)) return;
    c.touched_ms = now_ms;
    unlink_live(number);
    append_live(number);
}

void Connections::remove(std::uint32_t number) noexcept {
    Connection& c = pool_[number];
    if (c.has(Connection::kClosed)) {
        SEINE_ASSERT(closed_.at(0) == number);
        closed_.pop();
    } else {
        unlink_live(number);
    }
    std::uint32_t* link = &tuples_.of(tuple_key_of(c));
    while (*link != number) link = &pool_[*link].next_tuple;
    *link = c.next_tuple;
    link = &flows_.of(flow_key({c.dataplane, c.flow_epoch, c.flow_counter}));
    while (*link != number) link = &pool_[*link].next_flow;
    *link = c.next_flow;
    while (c.keys != 0) {
        const std::uint32_t gone = c.keys;
        link = &others_.of(keys_[gone].value);
        while (*link != gone) link = &keys_[*link].next;
        *link = keys_[gone].next;
        c.keys = keys_[gone].sibling;
        keys_.give(gone);
    }
    while (c.uses != 0) {
        const std::uint32_t gone = c.uses;
        c.uses = uses_[gone].next;
        identities_.release(uses_[gone].identity);
        uses_.give(gone);
    }
    drop_items(c.sessions);
    drop_items(c.exchanges);
    stacks_.release(c.stack);
    servers_.release(c.server);
    c.flags = 0;
    pool_.give(number);
}

void Connections::drop_items(std::uint32_t& head) noexcept {
    while (head != 0) {
        const std::uint32_t gone = head;
        head = items_[gone].next;
        items_.give(gone);
    }
}

std::uint32_t Connections::find_use(const Connection& connection,
                                    const std::array<std::uint8_t, 16>& account) const noexcept {
    for (std::uint32_t at = connection.uses; at != 0; at = uses_[at].next) {
        if (identities_[uses_[at].identity].account == account) return at;
    }
    return 0;
}

std::uint32_t Connections::add_use(Connection& connection, std::uint32_t identity) noexcept {
    const std::uint32_t made = uses_.take();
    if (made == 0) return 0;
    uses_[made].identity = identity;
    std::uint32_t* link = &connection.uses;
    while (*link != 0) link = &uses_[*link].next;
    *link = made;
    ++connection.use_count;
    return made;
}

void Connections::append_live(std::uint32_t number) noexcept {
    pool_[number].before = live_.last;
    pool_[number].after = 0;
    (live_.last == 0 ? live_.first : pool_[live_.last].after) = number;
    live_.last = number;
}

void Connections::unlink_live(std::uint32_t number) noexcept {
    const Connection& c = pool_[number];
    (c.before == 0 ? live_.first : pool_[c.before].after) = c.after;
    (c.after == 0 ? live_.last : pool_[c.after].before) = c.before;
}

std::size_t Connections::bytes() const noexcept {
    return pool_.bytes() + keys_.bytes() + items_.bytes() + uses_.bytes() + stacks_.bytes() +
           servers_.bytes() + identities_.bytes();
}

namespace {

void fill_use(const Use& use, const Identity& identity, std::int64_t t_open,
              model::AccountUse& out) noexcept {
    out = {};
    out.account.bytes = identity.account;
    out.org.bytes = identity.org;
    if (!out.org.known()) out.org.bytes = identity.account;
    out.key = identity.key;
    out.mode = static_cast<model::SourceMode>(use.mode);
    out.flags = use.flags;
    out.t_first = {t_open + use.first_ms * kMillisecond};
    out.t_last = {t_open + use.last_ms * kMillisecond};
    out.requests = use.requests;
    out.limited = use.limited;
    out.errors = use.errors;
    out.first_seen_day = identity.first_seen_day;
    out.endpoint = use.endpoint;
    out.model = use.model;
    out.platform = identity.platform;
    out.tier = identity.tier;
    out.trust = identity.trust;
    out.header_desc = use.header_desc;
    out.session_hint = use.session_hint;
}

}  // namespace

void Connections::tell(std::uint32_t number, model::Sighting& out) noexcept {
    Connection& c = pool_[number];
    model::Flow& flow = out.flow;
    flow.id = {c.dataplane, c.flow_epoch, c.flow_counter};
    const ServerEnd& server = servers_[c.server];
    flow.tuple = {c.client, server.address, c.client_port, server.port,
                  static_cast<contract::Proto>(c.proto)};
    flow.t_open = {c.t_open};
    flow.t_close = {c.t_close};
    flow.closed = c.has(Connection::kClosed);
    flow.seen = static_cast<contract::Seen>(c.seen);
    flow.ttl = c.ttl;
    const StackFacts& stack = stacks_[c.stack];
    flow.ja4 = stack.ja4;
    flow.ja4_norm = stack.ja4_norm;
    flow.hdr_order = stack.hdr_order;
    flow.h2_settings = stack.h2_settings;
    flow.syn = stack.syn;
    flow.user_agent = stack.user_agent;
    flow.rtt_tcp_us = c.rtt_tcp_us;
    flow.rtt_tls_us = c.rtt_tls_us;
    flow.late_hello_us = c.late_hello_us;
    flow.rtt_known = c.has(Connection::kRttKnown);
    flow.rtt_valid = c.has(Connection::kRttValid);
    flow.retrans = c.retrans;
    flow.session_presented.clear();
    flow.session_issued.clear();
    for (std::uint32_t at = c.sessions; at != 0; at = items_[at].next) {
        std::uint64_t hash = 0;
        std::memcpy(&hash, items_[at].words, sizeof hash);
        (items_[at].words[2] == kIssued ? flow.session_issued : flow.session_presented)
            .push_back(hash);
    }
    flow.exchanges.clear();
    for (std::uint32_t at = c.exchanges; at != 0; at = items_[at].next) {
        flow.exchanges.push_back({items_[at].words[0], items_[at].words[1], items_[at].words[2]});
    }
    drop_items(c.exchanges);
    c.exchange_count = 0;
    out.uses.clear();
    for (std::uint32_t at = c.uses; at != 0; at = uses_[at].next) {
        Use& use = uses_[at];
        fill_use(use, identities_[use.identity], c.t_open, out.uses.emplace_back());
        use.requests = 0;
        use.limited = use.errors = 0;
        // Whose intermediary was declared stays so where later sightings have no request.
        use.flags &= contract::AccountFlags::declared_intermediary;
    }
    c.clear(Connection::kNews);
    out.first = !c.has(Connection::kToldOnce);
    out.accounts_overflow = c.has(Connection::kOverflow);
    c.set(Connection::kToldOnce);
}

}  // namespace seine::account
