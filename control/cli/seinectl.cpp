// seinectl: the operator's tool, noun then verb.
#include <cstdio>
#include <string>
#include <vector>

#include "control/cli/commands.h"

int main(int argc, char** argv) {
    namespace cli = seine::cli;
    const std::vector<std::string> words(argv + 1, argv + argc);
    auto invocation = cli::read_invocation(words);
    std::string out;
    const seine::Status status = invocation ? cli::run(*invocation, out) : invocation.error();
    const bool printed =
        std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
    if (!status.ok()) {
        std::fprintf(stderr, "seinectl: %s\n", status.message().c_str());
        return cli::exit_code(status);
    }
    if (!printed) {
        std::fputs("seinectl: the output cannot be written\n", stderr);
        return cli::kExitFailed;
    }
    return cli::kExitDone;
}
