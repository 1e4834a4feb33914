// What can be said of a rule folder without any daemon: its examples, its mistakes.
#pragma once
#include <string>

#include "dataplane/base/status.h"

namespace seine::cli {

Status test_rules(const std::string& folder, bool json, std::string& out);
Status lint_rules(const std::string& folder, bool json, std::string& out);
// A row of markdown per field, as signatures/README.md has them; or a JSON array.
std::string fields_table(bool json);

}  // namespace seine::cli
