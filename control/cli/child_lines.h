// The lines that another of our programs prints.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::cli {

// Runs `program` of the folder that this one is in, or of PATH; each line of its stdout goes to
// `take`. Its stderr is ours. An exit other than 0 is a failure that names the program.
Status for_each_line(const std::string& program, const std::vector<std::string>& arguments,
                     const std::function<void(std::string_view)>& take);

}  // namespace seine::cli
