// Completion scripts for shells, made from the table of nouns.
#pragma once
#include <string>

namespace seine::cli {

std::string bash_completion();
std::string zsh_completion();

}  // namespace seine::cli
