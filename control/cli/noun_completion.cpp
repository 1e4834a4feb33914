// `seinectl completion`: a script for the shell.
#include "control/cli/completion.h"
#include "control/cli/nouns.h"

namespace seine::cli {
namespace {

Status print(std::string text, const Write& write) {
    return write(text) ? Status() : failed("the output cannot be written");
}
Status bash(const Invocation&, const Write& write) { return print(bash_completion(), write); }
Status zsh(const Invocation&, const Write& write) { return print(zsh_completion(), write); }

constexpr Verb kVerbs[] = {
    {.name = "bash", .meaning = "for bash: source <(seinectl completion bash)", .run = bash},
    {.name = "zsh", .meaning = "for zsh: seinectl completion zsh >a folder of $fpath/_seinectl", .run = zsh},
};

}  // namespace

constexpr Noun kCompletionNoun = {
    .name = "completion", .meaning = "a completion script for the shell", .verbs = kVerbs};

}  // namespace seine::cli
