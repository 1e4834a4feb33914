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

  private:
    [[nodiscard]] std::uint32_t& head_of(const contract::FlowId& id) { return heads_[FlowIdHash()(id) & (heads_.size() - 1)]; }
    void unlink(Entry& entry);

    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    std::vector<std::uint32_t> heads_;  // a power of two: place of the newest entry and one
};

}  // namespace seine::service
