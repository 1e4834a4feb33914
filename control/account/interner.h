// Values that many connections share, kept once and counted: stacks, servers, accounts.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "control/account/pool.h"
#include "dataplane/base/hash.h"

namespace seine::account {

// T is compared byte for byte and has no padding. One thread.
template <typename T>
class Interner {
    static_assert(std::has_unique_object_representations_v<T>);

  public:
    static Result<Interner> make(std::uint32_t capacity, std::uint64_t seed, const char* what) {
        auto nodes = Pool<Node>::make(capacity, what);
        if (!nodes) return nodes.error();
        auto heads = Heads::make(capacity, what);
        if (!heads) return heads.error();
        Interner interner;
        interner.nodes_ = std::move(*nodes);
        interner.heads_ = std::move(*heads);
        interner.seed_ = seed;
        return interner;
    }
    // The value's number, held once more; 0 when all are taken.
    [[nodiscard]] std::uint32_t hold(const T& value) noexcept {
        const std::uint64_t key = hash(value);
        std::uint32_t& head = heads_.of(key);
        for (std::uint32_t at = head; at != 0; at = nodes_[at].next) {
            if (std::memcmp(&nodes_[at].value, &value, sizeof value) != 0) continue;
            ++nodes_[at].holders;
            return at;
        }
        const std::uint32_t made = nodes_.take();
        if (made == 0) return 0;
        nodes_[made].value = value;
        nodes_[made].holders = 1;
        nodes_[made].next = head;
        head = made;
        return made;
    }
    // In two steps before hold(): where to look for the value, then what lies there.
    [[nodiscard]] std::uint64_t fetch_head(const T& value) const noexcept {
        const std::uint64_t key = hash(value);
        heads_.fetch(key);
        return key;
    }
    void fetch_first(std::uint64_t head) const noexcept { nodes_.fetch(heads_.of(head)); }
    void fetch(std::uint32_t number) const noexcept { nodes_.fetch(number); }
    void hold_again(std::uint32_t number) noexcept {
        if (number != 0) ++nodes_[number].holders;
    }
    // Number 0 is let go of without effect.
    void release(std::uint32_t number) noexcept {
        if (number == 0 || --nodes_[number].holders != 0) return;
        std::uint32_t* link = &heads_.of(hash(nodes_[number].value));
        while (*link != number) link = &nodes_[*link].next;
        *link = nodes_[number].next;
        nodes_.give(number);
    }
    // A zeroed value for number 0.
    const T& operator[](std::uint32_t number) const noexcept { return nodes_[number].value; }
    [[nodiscard]] std::uint32_t used() const noexcept { return nodes_.used(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return nodes_.bytes(); }

  private:
    struct Node {
        T value;
        std::uint32_t holders;
        std::uint32_t next;
    };
    std::uint64_t hash(const T& value) const noexcept {
        // Any object may be read as bytes.
        const auto* at = reinterpret_cast<const std::uint8_t*>(&value);  // NOLINT
        return hash64(ByteView(at, sizeof value), seed_);
    }
    Pool<Node> nodes_;
    Heads heads_;
    std::uint64_t seed_ = 0;
};

}  // namespace seine::account
