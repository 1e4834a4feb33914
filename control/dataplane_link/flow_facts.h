// What one record says of its connection, as control's own values.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "control/model/flow.h"
#include "dataplane/contract/frame.h"

namespace seine::dataplane_link {

// A text that is counted: fingerprints, names, what rules ask for.
struct FlowValue {
    contract::Field field{};
    model::ValueId id = 0;
    std::string_view text;  // borrowed from the record; never empty
};

// `flow` holds what this record says and nothing of earlier ones: exchanges and sessions are those
// of the record, absent fields are zero or empty. Where a PROXY header named another client,
// flow.tuple is of that one and the carrier the source of the packets.
struct FlowFacts {
    contract::Kind kind{};
    model::Flow flow;
    model::Address carrier{};
    std::uint16_t carrier_port = 0;  // 0: no PROXY header
    std::uint64_t unique_id = 0;     // model::value_id() of the PROXY v2 unique id; 0: none
    std::vector<FlowValue> values;   // in the record's order
};

// Keeps `out`'s memory. False when the record has no addresses: a finding, or one that is damaged.
bool read_facts(const contract::RecordView& record, FlowFacts& out);

}  // namespace seine::dataplane_link
