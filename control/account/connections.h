// The connections that an account record may still belong to, and their indexes.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "control/account/flow_event.h"
#include "control/account/interner.h"
#include "control/account/number_queue.h"
#include "control/account/pool.h"
#include "control/account/source_record.h"
#include "control/model/sighting.h"

namespace seine::account {

struct Claim;
class SavedReader;
class SavedWriter;

// What many connections have in common is interned; a connection is 128 bytes, each account on it
// 48 more, each session hash and each exchange not handed out yet 16.
struct StackFacts {
    model::ValueId ja4 = 0;
    model::ValueId ja4_norm = 0;
    model::ValueId hdr_order = 0;
    model::ValueId h2_settings = 0;
    model::ValueId syn = 0;
    model::ValueId user_agent = 0;
};
struct ServerEnd {
    model::Address address{};
    std::uint16_t port = 0;
};
struct Identity {
    std::array<std::uint8_t, 16> account{};
    std::array<std::uint8_t, 16> org{};
    std::uint64_t key = 0;
    std::uint32_t first_seen_day = 0;
    std::uint16_t platform = 0;
    std::uint8_t tier = 0;
    std::uint8_t trust = 0;
};

// An account on a connection and what was said of it since the last sighting.
struct Use {
    std::uint32_t identity;
    std::uint32_t next;
    std::int32_t first_ms;  // after t_open; meaningless while requests is 0
    std::int32_t last_ms;
    std::uint32_t requests;
    std::uint16_t limited;
    std::uint16_t errors;
    std::uint64_t header_desc;
    std::uint64_t session_hint;
    std::uint16_t flags;
    std::uint16_t endpoint;
    std::uint16_t model;
    std::uint8_t mode;
    std::uint8_t unused;
};
static_assert(sizeof(Use) == 48);

// A session hash (first two words, then its kind) or an exchange.
struct Item {
    std::uint32_t words[3];
    std::uint32_t next;
};

struct Connection {
    enum Flag : std::uint16_t {
        kUsed = 1,
        kClosed = 2,
        kToldOnce = 4,
        kOverflow = 8,
        kRttKnown = 16,
        kRttValid = 32,
        kTwice = 64,        // two dataplanes have it
        kHalfClosed = 128,  // one of the two has closed it
        kCarried = 256,     // its PROXY header named another client: the inner leg
        kNews = 512,        // requests or exchanges of it were not told yet
        kListed = 1024      // it stands in the list of those
    };
    // The first line of the cache: what a walk along a chain reads.
    model::Address client;
    std::uint64_t flow_counter;
    std::int64_t t_open;
    std::int64_t t_close;
    std::uint32_t flow_epoch;
    std::uint32_t server;
    std::uint32_t next_tuple;
    std::uint32_t next_flow;
    std::uint16_t client_port;
    std::uint16_t dataplane;
    std::uint16_t flags;
    std::uint8_t proto;
    std::uint8_t use_count;
    // The second.
    std::uint32_t uses;
    std::uint32_t stack;
    std::uint32_t before;  // in the list of live ones
    std::uint32_t after;
    std::uint32_t touched_ms;
    std::uint32_t keys;
    std::uint32_t sessions;
    std::uint32_t exchanges;
    std::uint32_t rtt_tcp_us;
    std::uint32_t rtt_tls_us;
    std::uint32_t late_hello_us;
    std::uint32_t retrans;
    std::uint8_t seen;
    std::uint8_t ttl;
    std::uint8_t exchange_count;
    std::uint8_t session_count;
    std::uint8_t unused[12];

    [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
    void set(Flag flag) noexcept { flags = static_cast<std::uint16_t>(flags | flag); }
    void clear(Flag flag) noexcept { flags = static_cast<std::uint16_t>(flags & ~flag); }
    // The latest time at which a request of it may have begun.
    [[nodiscard]] std::int64_t end_ns() const noexcept {
        return has(kClosed) ? t_close : std::numeric_limits<std::int64_t>::max() / 2;
    }
};
static_assert(sizeof(Connection) == 128);

// Further key of a connection: another dataplane's flow id, an address it moved to, a unique id, a
// session hash.
struct Key {
    std::uint64_t value;
    std::uint32_t connection;
    std::uint32_t next;     // in its hash chain
    std::uint32_t sibling;  // of the same connection
    std::uint32_t unused;
};

// One thread.
class Connections {
  public:
    static constexpr unsigned kExchangesHeldMax = 32;
    static constexpr unsigned kSessionsMax = 16;
    static constexpr unsigned kKeysMax = 24;
    static constexpr unsigned kChainMax = 64;  // connections of one key that are looked at

    struct Counters {
        std::uint64_t exchanges_dropped = 0;
        std::uint64_t sessions_dropped = 0;
        std::uint64_t keys_dropped = 0;
    };

    static Result<Connections> make(std::uint32_t connections_max, std::uint64_t seed);

    // Keys; the kinds cannot meet.
    [[nodiscard]] std::uint64_t tuple_key(const model::Address& client, std::uint16_t port,
                                          std::uint8_t proto) const noexcept;
    [[nodiscard]] std::uint64_t address_key(const model::Address& client) const noexcept;
    [[nodiscard]] std::uint64_t id_key(std::uint64_t unique_id) const noexcept;
    [[nodiscard]] std::uint64_t session_key(std::uint64_t hash) const noexcept;

    // 0: none.
    [[nodiscard]] std::uint32_t find_flow(const contract::FlowId& id) const noexcept;
    // Calls visit(number) for connections under the key, at most kChainMax of them; false when
    // there are more.
    template <typename Visit>
    bool each_of_tuple(std::uint64_t key, Visit&& visit) const;
    template <typename Visit>
    bool each_of_key(std::uint64_t key, Visit&& visit) const;

    // A new connection with what the event says; 0 when all are taken (evict first).
    [[nodiscard]] std::uint32_t add(const FlowEvent& event, std::uint32_t now_ms) noexcept;
    // Adds what a later event of the connection says.
    void merge(std::uint32_t number, const FlowEvent& event, bool with_exchanges) noexcept;
    void add_flow_id(std::uint32_t number, const contract::FlowId& id) noexcept;
    // Marks the end; it stands in the closed list from then on.
    void close(std::uint32_t number, std::int64_t t_close, std::uint32_t now_ms) noexcept;
    void touch(std::uint32_t number, std::uint32_t now_ms) noexcept;
    void remove(std::uint32_t number) noexcept;
    // The longest untouched of the live or the first of the closed; 0: none.
    [[nodiscard]] std::uint32_t oldest_live() const noexcept { return live_.first; }
    [[nodiscard]] std::uint32_t oldest_closed() const noexcept { return closed_.at(0); }

    // The account's use on the connection; 0 when it has none.
    [[nodiscard]] std::uint32_t find_use(
        const Connection& connection, const std::array<std::uint8_t, 16>& account) const noexcept;
    // A new use, last in order; takes over a holding of the identity. 0 when none is free.
    [[nodiscard]] std::uint32_t add_use(Connection& connection, std::uint32_t identity) noexcept;
    // It has what was not told yet, until tell().
    void add_news(std::uint32_t number) noexcept;
    // Calls visit(number) for each that has news, in the order they were first listed since the call
    // before; visit may tell() it.
    template <typename Visit>
    void each_with_news(Visit&& visit);
    // Fills a sighting with everything and forgets what is told once.
    void tell(std::uint32_t number, model::Sighting& out) noexcept;

    // Memory for what is asked next is asked for now, so that the answers do not wait for it one after
    // another. No effect but time; at most kExpectedMax of each are looked at.
    static constexpr std::uint32_t kExpectedMax = 32;
    void expect(std::span<const FlowEvent> events) const noexcept;
    void expect(std::span<const SourceRecord> records) const noexcept;
    void expect(std::span<const Claim* const> claims) const noexcept;
    void expect_told(std::span<const std::uint32_t> numbers) const noexcept;
    void expect_oldest_closed() const noexcept;

    // Everything, and back into an empty table of the same seed. False when the bytes are not such.
    void save(std::string& out) const;
    bool restore(SavedReader& in);

    Connection& operator[](std::uint32_t number) noexcept { return pool_[number]; }
    const Connection& operator[](std::uint32_t number) const noexcept { return pool_[number]; }
    Use& use(std::uint32_t number) noexcept { return uses_[number]; }
    Interner<Identity>& identities() noexcept { return identities_; }
    [[nodiscard]] const Interner<Identity>& identities() const noexcept { return identities_; }
    [[nodiscard]] const Interner<ServerEnd>& servers() const noexcept { return servers_; }
    Interner<ServerEnd>& servers() noexcept { return servers_; }
    [[nodiscard]] std::uint32_t used() const noexcept { return pool_.used(); }
    [[nodiscard]] std::uint32_t used_uses() const noexcept { return uses_.used(); }
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    // Memory touched so far, heads of chains left out.
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    struct List {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };
    [[nodiscard]] std::uint64_t flow_key(const contract::FlowId& id) const noexcept;
    [[nodiscard]] std::uint64_t tuple_key_of(const Connection& connection) const noexcept {
        return tuple_key(connection.client, connection.client_port, connection.proto);
    }
    void save_one(std::uint32_t number, SavedWriter& writer) const;
    bool restore_one(SavedReader& in);
    void add_key(std::uint32_t number, std::uint64_t value) noexcept;
    void add_session(std::uint32_t number, std::uint64_t hash, std::uint32_t kind) noexcept;
    void add_exchange(std::uint32_t number, const model::Exchange& exchange) noexcept;
    void tidy_news() noexcept;
    void add_ways_to_find(std::uint32_t number, const FlowEvent& event) noexcept;
    void merge_stack(Connection& connection, const model::Flow& flow) noexcept;
    void drop_items(std::uint32_t& head) noexcept;
    void append_live(std::uint32_t number) noexcept;
    void unlink_live(std::uint32_t number) noexcept;

    Pool<Connection> pool_;
    Pool<Key> keys_;
    Pool<Item> items_;
    Pool<Use> uses_;
    Heads tuples_;
    Heads flows_;
    Heads others_;
    Interner<StackFacts> stacks_;
    Interner<ServerEnd> servers_;
    Interner<Identity> identities_;
    List live_;
    NumberQueue closed_;
    NumberQueue news_;  // each once, and some that have none any more
    std::uint64_t seed_ = 0;
    Counters counters_;
};

template <typename Visit>
bool Connections::each_of_tuple(std::uint64_t key, Visit&& visit) const {
    unsigned seen = 0;
    for (std::uint32_t at = tuples_.of(key); at != 0; at = pool_[at].next_tuple) {
        if (tuple_key_of(pool_[at]) != key) continue;
        if (++seen > kChainMax) return false;
        visit(at);
    }
    return each_of_key(key, visit);
}

template <typename Visit>
bool Connections::each_of_key(std::uint64_t key, Visit&& visit) const {
    unsigned seen = 0;
    for (std::uint32_t at = others_.of(key); at != 0; at = keys_[at].next) {
        if (keys_[at].value != key) continue;
        if (++seen > kChainMax) return false;
        visit(keys_[at].connection);
    }
    return true;
}

template <typename Visit>
void Connections::each_with_news(Visit&& visit) {
    const std::uint32_t count = news_.size();
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t number = news_.at(i);
        if (pool_[number].has(Connection::kNews)) visit(number);
    }
    tidy_news();
}

}  // namespace seine::account
