// Small files read whole and replaced whole.
#pragma once
#include <string>
#include <string_view>

#include "dataplane/base/status.h"

namespace seine::config {

Result<std::string> read_file(const std::string& path);
// The old content or the new, on the disk, whatever happens in between.
Status replace_file(const std::string& path, std::string_view content);

}  // namespace seine::config
