// `seine-generate world`: a labelled world into a folder.
#pragma once

namespace seine::world {

// Exit codes as everywhere: 0 done, 1 failed, 2 wrong usage.
int world_command(int argc, char** argv);

}  // namespace seine::world
