// A Run as bytes: how a worker process hands its grades to the one that prints them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tools/evaluate/report.h"

namespace seine::evaluate {

// Between two processes of one build, so in its byte order. Stories are left out.
std::string to_wire(const std::vector<Run>& runs);
// Fails on bytes that are cut short: a worker that died.
Result<std::vector<Run>> from_wire(std::string_view bytes);

}  // namespace seine::evaluate
