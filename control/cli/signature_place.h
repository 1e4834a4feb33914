// Where a running dataplane keeps its rule sets, and which one runs.
#pragma once
#include <string>

#include "control/cli/noun.h"
#include "control/signature/version_store.h"

namespace seine::cli {

struct RunningRules {
    std::string socket;
    std::string folder;
    std::uint64_t generation = 0;
    std::uint64_t highest = 0;
    std::uint64_t confirmed = 0;
    bool pending = false;
    std::string origin;
};

std::string dataplane_socket_of(const Invocation& invocation);
Result<RunningRules> running_rules(const Invocation& invocation);

// A folder of rules by what was typed: a path, a version's number, or nothing for the one that runs.
Result<std::string> rules_named(const Invocation& invocation, const std::string& typed);

// JSON pieces.
std::string json_text(std::string_view text);

}  // namespace seine::cli
