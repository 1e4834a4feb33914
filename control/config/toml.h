// Trees from and to TOML.
#pragma once
#include <string>
#include <string_view>

#include "control/config/node.h"
#include "dataplane/base/status.h"

namespace seine::config {

inline constexpr std::size_t kTomlBytesMax = std::size_t{4} << 20;

// `name` is what errors call the text: a file. Members come out in the order of their names.
Result<Node> read_toml(std::string_view text, const std::string& name);

// Canonical: the same tree gives the same text, and reading it gives the same tree.
std::string write_toml(const Node& root);

}  // namespace seine::config
