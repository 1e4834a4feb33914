// `seinectl farm`: groups of accounts with one operator behind them.
#include "control/cli/nouns.h"

namespace seine::cli {

constexpr Noun kFarmNoun = {.name = "farm", .meaning = "groups of accounts with one operator behind them"};

}  // namespace seine::cli
