// seinectl: the operator's tool, noun then verb.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "control/cli/commands.h"
#include "control/cli/invocation.h"

namespace {

int run_main(const std::vector<std::string>& words) {
    namespace cli = seine::cli;
    const auto write = [](std::string_view text) {
        return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    };
    const auto invocation = cli::read_invocation(words);
    seine::Status status;
    if (!invocation) {
        status = invocation.error();
    } else if (invocation->watch_seconds > 0 && invocation->action == cli::Invocation::Action::run) {
        status = cli::watch(*invocation, write, ::isatty(STDOUT_FILENO) == 1);
    } else {
        status = cli::run(*invocation, write);
    }
    if (!status.ok()) std::fprintf(stderr, "seinectl: %s\n", status.message().c_str());
    return cli::exit_code(status);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_main({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seinectl: %s; this is a mistake of ours, please report it\n", error.what());
        return 1;
    }
}
