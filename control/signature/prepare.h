// From a folder of rules to the blob that a dataplane takes, with everything checked on the way.
#pragma once
#include <string>
#include <vector>

#include "dataplane/signature/check.h"
#include "dataplane/signature/compile.h"

namespace seine::control_signature {

// A set that passed every check, compiled. Problems otherwise.
struct Prepared {
    signature::LoadedRules loaded;
    signature::CheckCounts counts;
    signature::CompiledRules compiled;
};
Prepared prepare(const std::string& folder, const signature::CompileOptions& options = {});

}  // namespace seine::control_signature
