// What the matcher keeps of one flow between its events: facts found, and rules that hit.
#pragma once
#include <cstdint>

#include "dataplane/base/fixed_vector.h"
#include "dataplane/signature/field.h"

namespace seine::signature {

// Facts that rules over several events need later. Past the bounds they are forgotten and counted: such a
// rule may then miss, never hit wrongly.
struct MatchState {
    static constexpr std::size_t kFactsMax = 16;
    static constexpr std::size_t kFiredMax = 12;
    static constexpr std::uint16_t kNoBody = 0xffff;
    static constexpr std::uint16_t kNoneParked = 0xffff;

    std::uint64_t generation = 0;
    Groups seen = 0;
    std::uint16_t body = kNoBody;        // of the body that is being read
    std::uint16_t parked = kNoneParked;  // the newest of its requests that wait under their streams
    FixedVector<std::uint16_t, kFactsMax> flow_facts;
    FixedVector<std::uint16_t, kFactsMax> request_facts;
    FixedVector<std::uint16_t, kFiredMax> flow_fired;
    FixedVector<std::uint16_t, kFiredMax> request_fired;
};

// Groups that are of one request; the others are of the flow.
inline constexpr Groups kRequestGroups =
    bit(Group::http) | bit(Group::http_headers) | bit(Group::body) | bit(Group::response_body);

}  // namespace seine::signature
