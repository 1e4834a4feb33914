// What the operator typed: noun, verb and options, read by one table that help and completion
// share.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::cli {

// Exit codes of every program of ours.
enum Exit : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2, kExitUnreachable = 3 };
int exit_code(const Status& status) noexcept;

struct Noun {
    std::string_view name;
    std::string_view
        verbs;  // space-separated; the first is what stands for none; empty: not built yet
    std::string_view meaning;
};
std::span<const Noun> nouns() noexcept;

inline constexpr char kDefaultSocket[] = "/run/seine/dataplane.sock";

struct Invocation {
    enum class Action { run, help, version };
    Action action = Action::run;
    const Noun* noun = nullptr;
    std::string verb;  // in full; empty where the noun has none
    bool json = false;
    std::string socket = kDefaultSocket;
    int timeout_ms = 5000;
};

// Nouns and verbs may be shortened as long as they stay unambiguous. Code::usage says what is wrong
// and what there is.
Result<Invocation> read_invocation(const std::vector<std::string>& words);

// What `seinectl --help` prints.
std::string help_text();
std::string version_text();

// The script that `seinectl completion bash` prints, from the same tables.
std::string bash_completion();

}  // namespace seine::cli
