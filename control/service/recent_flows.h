// Values of the flows opened last: a sighting names a connection, and what its hello said is here.
#pragma once
#include <cstdint>
#include <unordered_map>
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
        std::vector<std::pair<std::uint16_t, model::ValueId>> values;
        std::vector<model::AccountTag> accounts;
    };

    explicit RecentFlows(std::size_t capacity) : entries_(capacity) {}
    // Null when it is not, or no longer, here.
    [[nodiscard]] Entry* find(const contract::FlowId& id);
    [[nodiscard]] const Entry* find(const contract::FlowId& id) const;
    // The entry, made when it is not here. Good until the next call.
    Entry& of(const contract::FlowId& id);

  private:
    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    std::unordered_map<contract::FlowId, std::size_t, FlowIdHash> by_id_;
};

}  // namespace seine::service
