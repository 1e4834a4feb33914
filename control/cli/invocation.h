// Reading a command line by the table of nouns.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/noun.h"
#include "dataplane/base/status.h"

namespace seine::cli {

// Exit codes of every program of ours.
enum Exit : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2, kExitUnreachable = 3 };
int exit_code(const Status& status) noexcept;

inline constexpr char kControlSocket[] = "/run/seine/control.sock";
inline constexpr char kDataplaneSocket[] = "/run/seine/dataplane.sock";
inline constexpr int kTimeoutMs = 5000;

// Options that every verb takes.
std::span<const Option> common_options() noexcept;

// Nouns and verbs may be shortened as long as they stay unambiguous; options stand anywhere and are
// never guessed. Code::usage says what is wrong and what there is.
Result<Invocation> read_invocation(const std::vector<std::string>& words);

// The words of a verb's or option list's text.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace seine::cli
