// Many live connections lie outside the processor's caches. What is asked of several is known before
// the first is answered: each step below asks for the memory that the next one reads.
#include <algorithm>
#include <array>

#include "control/account/claim.h"
#include "control/account/connections.h"

namespace seine::account {
namespace {

template <typename T>
std::size_t some_of(std::span<T> all) noexcept {
    return std::min<std::size_t>(all.size(), Connections::kExpectedMax);
}

template <typename T>
using Each = std::array<T, Connections::kExpectedMax>;

}  // namespace

// The chain of its flow id, the first there, what that has.
void Connections::expect(std::span<const FlowEvent> events) const noexcept {
    const std::size_t count = some_of(events);
    Each<std::uint64_t> flow_keys{};
    Each<std::uint64_t> tuple_keys{};
    Each<std::uint32_t> numbers{};
    for (std::size_t i = 0; i < count; ++i) {
        const model::Flow& flow = *events[i].flow;
        flow_keys[i] = flow_key(flow.id);
        flows_.fetch(flow_keys[i]);
        tuple_keys[i] = tuple_key(flow.tuple.client, flow.tuple.client_port, static_cast<std::uint8_t>(flow.tuple.proto));
        tuples_.fetch(tuple_keys[i]);
        if (keys_.used() == 0) continue;
        others_.fetch(flow_keys[i]);
        others_.fetch(tuple_keys[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = flows_.of(flow_keys[i]);
        pool_.fetch(numbers[i]);
        if (events[i].kind == FlowEvent::Kind::open) pool_.fetch(tuples_.of(tuple_keys[i]));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const Connection& c = pool_[numbers[i]];
        const model::Flow& flow = *events[i].flow;
        if (c.flow_counter != flow.id.counter) {
            pool_.fetch(c.next_flow);
            numbers[i] = 0;
            continue;
        }
        uses_.fetch(c.uses);
        pool_.fetch(c.before);
        pool_.fetch(c.after);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (numbers[i] != 0) identities_.fetch(uses_[pool_[numbers[i]].uses].identity);
    }
}

void Connections::expect(std::span<const SourceRecord> records) const noexcept {
    const std::size_t count = some_of(records);
    Each<std::uint64_t> tuple_keys{};
    Each<std::uint64_t> identity_heads{};
    Each<std::uint32_t> numbers{};
    for (std::size_t i = 0; i < count; ++i) {
        const contract::AccountRecord& record = records[i].record;
        tuple_keys[i] = tuple_key(record.client_ip, record.client_port, record.proto);
        tuples_.fetch(tuple_keys[i]);
        if (keys_.used() != 0) others_.fetch(tuple_keys[i]);
        identity_heads[i] = identities_.fetch_head(identity_of(record));
    }
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = tuples_.of(tuple_keys[i]);
        pool_.fetch(numbers[i]);
        identities_.fetch_first(identity_heads[i]);
    }
    for (std::size_t i = 0; i < count; ++i) uses_.fetch(pool_[numbers[i]].uses);
}

void Connections::expect(std::span<const Claim* const> claims) const noexcept {
    const std::size_t count = some_of(claims);
    Each<std::uint32_t> numbers{};
    for (std::size_t i = 0; i < count; ++i) {
        tuples_.fetch(claims[i]->tuple_key);
        if (keys_.used() != 0) others_.fetch(claims[i]->tuple_key);
        identities_.fetch(claims[i]->identity);
    }
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = tuples_.of(claims[i]->tuple_key);
        pool_.fetch(numbers[i]);
    }
    for (std::size_t i = 0; i < count; ++i) uses_.fetch(pool_[numbers[i]].uses);
}

void Connections::expect_told(std::span<const std::uint32_t> numbers) const noexcept {
    const auto some = numbers.first(some_of(numbers));
    for (const std::uint32_t number : some) pool_.fetch(number);
    for (const std::uint32_t number : some) {
        uses_.fetch(pool_[number].uses);
        stacks_.fetch(pool_[number].stack);
    }
    for (const std::uint32_t number : some) identities_.fetch(uses_[pool_[number].uses].identity);
}

// Those that end next; they themselves were asked for by the call before.
void Connections::expect_oldest_closed() const noexcept {
    const std::uint32_t count = std::min(kExpectedMax, closed_.size());
    for (std::uint32_t i = 0; i < count; ++i) pool_.fetch(closed_.at(kExpectedMax + i));
    for (std::uint32_t i = 0; i < count; ++i) {
        const Connection& c = pool_[closed_.at(i)];
        tuples_.fetch(tuple_key_of(c));
        flows_.fetch(flow_key({c.dataplane, c.flow_epoch, c.flow_counter}));
        uses_.fetch(c.uses);
    }
    for (std::uint32_t i = 0; i < count; ++i) identities_.fetch(uses_[pool_[closed_.at(i)].uses].identity);
}

}  // namespace seine::account
