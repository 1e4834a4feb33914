// `seinectl account`: accounts, their sources and their directory.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kAccountNoun = {.name = "account", .meaning = "accounts, their sources and their directory"};

}  // namespace seine::cli
