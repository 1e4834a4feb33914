// What answers say of a destination.
#pragma once
#include <string>

#include "control/command/json_builder.h"
#include "control/export/destination.h"

namespace seine::service {

void describe_destination(command::JsonBuilder& json, const siem::DestinationStatus& at);
// "destination soc takes nothing since ..: why; 17 events wait"; empty when there is none.
std::string problem_of(const siem::DestinationStatus& at);

}  // namespace seine::service
