// Events for tests: a complete one of each kind, hostile ones, and a plain flow for load.
#pragma once
#include <cstdint>
#include <random>

#include "control/model/event.h"

namespace seine::tests {

inline constexpr model::EventKind kEventKinds[] = {
    model::EventKind::signature_alert, model::EventKind::flow_summary, model::EventKind::farm,
    model::EventKind::account_evidence, model::EventKind::health};

// Every field filled with plausible values.
model::Event sample_event(model::EventKind kind);
// A clear-text HTTP flow, as flow_summary.
model::Event sample_http_event();
// The same with bytes of an attacker in every text: quotes, line ends, delimiters, NUL, invalid
// UTF-8, up to 64 KiB each.
model::Event hostile_event(model::EventKind kind, std::mt19937_64& random);
// One byte string of the kind above.
std::string hostile_text(std::mt19937_64& random, std::size_t bytes_max);
// A flow summary as most are; `number` makes it one of many.
model::Event load_event(std::uint64_t number);

}  // namespace seine::tests
