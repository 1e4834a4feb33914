// `seine-generate mix`: the packet mix as a capture, its truth beside it.
#pragma once

namespace seine::generate {

// Arguments behind the subcommand's name. Exit code: 0 done, 1 failed, 2 wrong usage.
int mix_command(int argc, char** argv);

}  // namespace seine::generate
