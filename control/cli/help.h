// What --help, --version and --man print, made from the table of nouns.
#pragma once
#include <string>

#include "control/cli/noun.h"

namespace seine::cli {

// Of everything, of a noun, or of one verb of it.
std::string help_text(const Noun* noun, const Verb* verb);
std::string version_text();

// One line: "flow list [FILTER] [--limit N]".
std::string synopsis(const Noun& noun, const Verb& verb);

// A man page in troff: seinectl(1), or seinectl-NOUN(1).
std::string man_page(const Noun* noun);

}  // namespace seine::cli
