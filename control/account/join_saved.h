// The whole join between two starts.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "control/account/connections.h"
#include "control/account/gateways.h"
#include "control/account/join_counters.h"
#include "control/account/pending.h"

namespace seine::account {

void save_join(std::string& state, std::uint64_t seed, const JoinCounters& counters,
               const Gateways& gateways, const Connections& connections, const Pending& pending,
               bool with_connections = true);
// Into empty parts; wait(claim) for each record that waited. False when the bytes are not such a
// state, or one of another build or seed.
bool restore_join(std::string_view state, std::uint64_t seed, JoinCounters& counters,
                  Gateways& gateways, Connections& connections,
                  const std::function<void(const Claim&)>& wait);

}  // namespace seine::account
