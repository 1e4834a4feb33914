// The table of connections between two starts.
#include "control/account/connections.h"
#include "control/account/saved.h"

namespace seine::account {

// used, then of each: itself, stack, server, sessions, exchanges, uses with their accounts, further
// keys.
void Connections::save(std::string& out) const {
    SavedWriter writer(out);
    writer.put(pool_.used());
    for (std::uint32_t number = live_.first; number != 0; number = pool_[number].after) save_one(number, writer);
    for (std::uint32_t i = 0; i < closed_.size(); ++i) save_one(closed_.at(i), writer);
}

void Connections::save_one(std::uint32_t number, SavedWriter& writer) const {
    const Connection& c = pool_[number];
    writer.put(c);
    writer.put(stacks_[c.stack]);
    writer.put(servers_[c.server]);
    for (std::uint32_t at = c.sessions; at != 0; at = items_[at].next) writer.put(items_[at].words);
    for (std::uint32_t at = c.exchanges; at != 0; at = items_[at].next) writer.put(items_[at].words);
    for (std::uint32_t at = c.uses; at != 0; at = uses_[at].next) {
        writer.put(uses_[at]);
        writer.put(identities_[uses_[at].identity]);
    }
    std::uint32_t keys = 0;
    for (std::uint32_t at = c.keys; at != 0; at = keys_[at].sibling) ++keys;
    writer.put(keys);
    for (std::uint32_t at = c.keys; at != 0; at = keys_[at].sibling) writer.put(keys_[at].value);
}

bool Connections::restore(SavedReader& in) {
    std::uint32_t count = 0;
    if (!in.take(count)) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (!restore_one(in)) return false;
    }
    return true;
}

bool Connections::restore_one(SavedReader& in) {
    Connection saved;
    StackFacts stack;
    ServerEnd server;
    if (!in.take(saved) || !in.take(stack) || !in.take(server)) return false;
    const std::uint32_t number = pool_.take();
    if (number == 0) return false;
    Connection& c = pool_[number];
    c = saved;
    c.sessions = c.exchanges = c.uses = c.keys = 0;
    c.session_count = c.exchange_count = c.use_count = 0;
    c.stack = stacks_.hold(stack);
    c.server = servers_.hold(server);
    std::uint32_t& tuple_head = tuples_.of(tuple_key_of(c));
    c.next_tuple = std::exchange(tuple_head, number);
    std::uint32_t& flow_head = flows_.of(flow_key({c.dataplane, c.flow_epoch, c.flow_counter}));
    c.next_flow = std::exchange(flow_head, number);
    if (c.has(Connection::kClosed)) closed_.push(number);
    else append_live(number);
    c.clear(Connection::kListed);
    if (c.has(Connection::kNews)) add_news(number);
    std::uint32_t words[3] = {};
    for (unsigned i = 0; i < saved.session_count && in.take(words); ++i) {
        std::uint64_t hash = 0;
        std::memcpy(&hash, words, sizeof hash);
        add_session(number, hash, words[2]);
    }
    for (unsigned i = 0; i < saved.exchange_count && in.take(words); ++i) {
        add_exchange(number, {words[0], words[1], words[2]});
    }
    for (unsigned i = 0; i < saved.use_count; ++i) {
        Use use;
        Identity identity;
        if (!in.take(use) || !in.take(identity)) return false;
        const std::uint32_t held = identities_.hold(identity);
        const std::uint32_t made = held == 0 ? 0 : add_use(c, held);
        if (made == 0) return false;
        use.identity = held;
        use.next = 0;
        uses_[made] = use;
    }
    std::uint32_t keys = 0;
    if (!in.take(keys) || keys > kKeysMax) return false;
    std::uint64_t value = 0;
    for (std::uint32_t i = 0; i < keys && in.take(value); ++i) add_key(number, value);
    return in.sound();
}

}  // namespace seine::account
