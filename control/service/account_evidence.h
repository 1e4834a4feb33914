// Why accounts are taken for a farm's, as events: one for each that a farm was found with or gained.
#pragma once
#include <cstddef>
#include <vector>

#include "control/detect/engine.h"
#include "control/model/event.h"

namespace seine::service {

// Of one sweep; a farm with more members has the strongest told, and `account why` for the others.
inline constexpr std::size_t kAccountsToldMax = 1000;

// Of a farm event: those that belong to it since. At most `room`; what is more is added to `left_out`.
std::vector<model::Event> account_evidence(const detect::Engine& engine, const model::Event& told, std::size_t room,
                                           std::uint64_t& left_out);

}  // namespace seine::service
