// Flows that cards pass by: what a worker asks, and what it is told of the packets that it no longer sees.
#pragma once
#include <cstdint>

#include "dataplane/base/spsc_queue.h"
#include "dataplane/flow/flow_key.h"

namespace seine::pipeline {

// Of one flow of one worker: it may be passed by, or it is over.
struct BypassAsk {
    flow::FlowKey key{};
    std::uint32_t flow = 0;
    std::uint64_t number = 0;  // FlowHot::number: the id may be another flow's by now
    bool over = false;
};

// What a card dropped of it since it told last. Bytes are those of whole frames.
struct BypassCount {
    std::uint32_t flow = 0;
    std::uint64_t number = 0;
    std::uint64_t packets[2] = {};  // sent by the lower end of the key, and by the other
    std::uint64_t bytes[2] = {};
};

// Between one worker and the thread that tends the cards.
struct BypassLink {
    SpscQueue<BypassAsk> asks{1024};      // a flow that finds it full goes on as it did, and asks again later
    SpscQueue<BypassCount> counts{8192};  // full: told the next time
};

}  // namespace seine::pipeline
