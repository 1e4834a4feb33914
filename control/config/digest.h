// SHA-256 as hex, for the chain of the audit log and the names of revisions.
#pragma once
#include <string>
#include <string_view>

namespace seine::config {

std::string sha256_hex(std::string_view text);

}  // namespace seine::config
