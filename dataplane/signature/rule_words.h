// The small words inside rule files: ports and rates.
#pragma once
#include <string_view>

#include "dataplane/signature/rule.h"

namespace seine::signature {

// "443" or "8000-8100".
bool parse_ports(std::string_view word, PortRange& out) noexcept;
// "10/s", "600/min", "100/h", "20/day", "off".
bool parse_rate(std::string_view word, Rate& out) noexcept;

}  // namespace seine::signature
