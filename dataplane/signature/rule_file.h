// Reads rule packs: TOML files and the lists beside them (the grammar: signatures/README.md).
#pragma once
#include <string>
#include <string_view>

#include "dataplane/signature/loaded_rules.h"

namespace seine::signature {

// Every *.toml below the folder `path`, in the order of their names, as one set; or one file.
LoadedRules read_rules(const std::string& path);

// One file's text. Lists are looked for below `folder`; empty: lists are refused (fuzzing).
LoadedRules read_rules_text(const std::string& name, std::string_view text, const std::string& folder);

}  // namespace seine::signature
