// What the join is told of connections: opened, new facts, closed.
#pragma once
#include <cstdint>

#include "control/model/flow.h"

namespace seine::account {

struct FlowEvent {
    enum class Kind : std::uint8_t { open = 1, update = 2, close = 3 };
    Kind kind{};
    // Borrowed for the call. An open carries what the hello said; update and close carry what is
    // new: exchanges are never told twice, a zero or empty field says nothing.
    const model::Flow* flow = nullptr;
    // Where a PROXY header named another client (flow->tuple): source of the packets, so that a
    // gateway which logs that one is understood too. Port 0: none.
    model::Address carrier{};
    std::uint16_t carrier_port = 0;
    // model::value_id() of the unique id in a PROXY v2 header, or of a request id; 0: none.
    std::uint64_t unique_id = 0;
};

}  // namespace seine::account
