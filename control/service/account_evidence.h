// Why accounts are taken for a farm's, as events: one for each that a farm was found with or gained.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "control/detect/engine.h"
#include "control/model/event.h"
#include "control/model/farm.h"

namespace seine::service {

// Of one sweep; a farm with more members has the strongest told, and `account why` for the others.
inline constexpr std::size_t kAccountsToldMax = 1000;

using Why = std::function<detect::Explanation(const model::AccountTag& account)>;

// Of a farm event: those that belong to it since. At most `room`; what is more is added to `left_out`.
// `farms` are as of the event or later; `why` is asked for each account that is told of.
std::vector<model::Event> account_evidence(const std::vector<model::Farm>& farms, const model::Event& told, const Why& why,
                                           std::size_t room, std::uint64_t& left_out);

}  // namespace seine::service
