// seinectl: the operator's tool, noun then verb.
#include <cstdio>
#include <string>
#include <vector>

#include "control/cli/commands.h"
#include "control/cli/signature_command.h"

int main(int argc, char** argv) {
    namespace cli = seine::cli;
    const std::vector<std::string> words(argv + 1, argv + argc);
    std::string out;
    seine::Status status;
    if (!words.empty() && words[0] == "signature") {
        status = cli::signature_command({words.begin() + 1, words.end()}, out);
    } else {
        const auto invocation = cli::read_invocation(words);
        status = invocation ? cli::run(*invocation, out) : invocation.error();
    }
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
