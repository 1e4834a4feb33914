// Values of the flows opened last: a sighting names a connection, and what its hello said is here.
#pragma once
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "control/model/tag.h"
#include "control/model/value.h"
#include "dataplane/base/hash.h"
#include "dataplane/contract/frame.h"

namespace seine::service {

struct FlowIdHash {
    std::size_t operator()(const contract::FlowId& id) const noexcept {
        return mix64(id.counter ^ 0x9e3779b97f4a7c15u,
                     (std::uint64_t{id.epoch} << 16 | id.dataplane) + 0xd6e8feb86659fd93u);
    }
};

// Holds the last `capacity` flows, first in, first out. One thread.
class RecentFlows {
  public:
    static constexpr std::size_t kValuesMax = 24;

    struct Entry {
        contract::FlowId id;
        bool used = false;
        bool row_kept = false;  // it has, or will have, a row of its own
        std::uint32_t next = 0;  // under the same head: its place and one; 0: none
        model::ValueId address = 0;  // of the client, and its prefix; 0: its opening was not seen
        model::ValueId prefix = 0;
        std::vector<std::pair<std::uint16_t, model::ValueId>> values;
        std::vector<model::AccountTag> accounts;
    };

    explicit RecentFlows(std::size_t capacity) : entries_(capacity), heads_(std::bit_ceil(capacity)) {}
    // Null when it is not, or no longer, here.
    [[nodiscard]] Entry* find(const contract::FlowId& id);
    [[nodiscard]] const Entry* find(const contract::FlowId& id) const;
    // The entry, made when it is not here. Good until the next call.
    Entry& of(const contract::FlowId& id);

    // In three steps before find(): its head, the first entry there, what that points at.
    void fetch_head(const contract::FlowId& id) const noexcept { __builtin_prefetch(&heads_[place_of(id)]); }
    void fetch_first(const contract::FlowId& id) const noexcept {
        if (const Entry* entry = first_of(id)) fetch(*entry);
    }
    void fetch_lists(const contract::FlowId& id) const noexcept {
        if (const Entry* entry = first_of(id)) fetch_lists(*entry);
    }
    // Before of() is called for so many new ones: the entries that they take the place of.
    void fetch_oldest(std::size_t count) const noexcept;

  private:
    [[nodiscard]] std::size_t place_of(const contract::FlowId& id) const noexcept { return FlowIdHash()(id) & (heads_.size() - 1); }
    [[nodiscard]] const Entry* first_of(const contract::FlowId& id) const noexcept {
        const std::uint32_t at = heads_[place_of(id)];
        return at == 0 ? nullptr : &entries_[at - 1];
    }
    static void fetch(const Entry& entry) noexcept {
        __builtin_prefetch(&entry);
        __builtin_prefetch(&entry.accounts);
    }
    static void fetch_lists(const Entry& entry) noexcept {
        __builtin_prefetch(entry.values.data());
        __builtin_prefetch(entry.accounts.data());
    }
    [[nodiscard]] std::uint32_t& head_of(const contract::FlowId& id) { return heads_[place_of(id)]; }
    void unlink(Entry& entry);

    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    std::vector<std::uint32_t> heads_;  // a power of two: place of the newest entry and one
};

}  // namespace seine::service
