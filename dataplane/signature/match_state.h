// What the matcher keeps of one flow between its events: facts found, and rules that hit.
#pragma once
#include <cstdint>

#include "dataplane/base/fixed_vector.h"
#include "dataplane/signature/field.h"

namespace seine::signature {

// Groups that are of one request; the others are of the flow.
inline constexpr Groups kRequestGroups =
    bit(Group::http) | bit(Group::http_headers) | bit(Group::body) | bit(Group::response_body);

// Facts that rules over several events need later, of the flow or of one of its requests. Past the bounds they are
// forgotten and counted: such a rule may then miss, never hit wrongly.
struct SeenState {
    static constexpr std::size_t kFactsMax = 16;
    static constexpr std::size_t kFiredMax = 12;

    Groups seen = 0;
    FixedVector<std::uint16_t, kFactsMax> facts;
    FixedVector<std::uint16_t, kFiredMax> fired;  // rules that hit

    void clear() noexcept {
        seen = 0;
        facts.clear();
        fired.clear();
    }
};

struct MatchState {
    static constexpr std::uint16_t kNoBody = 0xffff;
    static constexpr std::uint16_t kNoneParked = 0xffff;

    std::uint64_t generation = 0;
    std::uint16_t body = kNoBody;        // of the body that is being read
    std::uint16_t parked = kNoneParked;  // the newest of its requests that wait under their streams
    SeenState flow;
    SeenState request;  // the one its events are of

    // Nothing is known, by this set.
    void restart(std::uint64_t number) noexcept {
        generation = number;
        body = kNoBody;
        parked = kNoneParked;
        flow.clear();
        request.clear();
    }
    [[nodiscard]] Groups seen() const noexcept { return flow.seen | request.seen; }
};

}  // namespace seine::signature
