// Files that operators name: a pipe or a device may block whoever opens it, so it is not opened.
#pragma once
#include <string>

#include "dataplane/base/status.h"

namespace seine::siem {

enum class Links : bool { refused, followed };

// Ok where a plain file is, or nothing; else what is there and what to do.
[[nodiscard]] Status check_plain_file(const std::string& path, Links links);

}  // namespace seine::siem
