// What one record says of its connection, as control's own values.
#pragma once
#include <cstdint>
#include <string_view>

#include "control/model/flow.h"
#include "dataplane/contract/frame.h"

namespace seine::dataplane_link {

// `flow` holds what this record says and nothing of earlier ones: exchanges and sessions are those
// of the record, absent fields are zero or empty. Where a PROXY header named another client,
// flow.tuple is of that one and the carrier the source of the packets.
struct FlowFacts {
    contract::Kind kind{};
    model::Flow flow;
    model::Address carrier{};
    std::uint16_t carrier_port = 0;  // 0: no PROXY header
    std::uint64_t unique_id = 0;     // model::value_id() of the PROXY v2 unique id; 0: none
};

// Keeps `out`'s memory. False when the record has no addresses: a finding, or one that is damaged.
bool read_facts(const contract::RecordView& record, FlowFacts& out);

// Whether texts of the field are counted as values: fingerprints, names, what rules ask for.
[[nodiscard]] bool is_value(contract::Field field) noexcept;

// Calls visit(field, text) for each text of the record that is counted.
template <typename Visit>
void each_value(const contract::RecordView& record, Visit&& visit) {
    record.for_each_string([&](contract::Field field, ByteView bytes) {
        if (!bytes.empty() && is_value(field)) visit(field, as_text(bytes));
    });
}

}  // namespace seine::dataplane_link
