// seine-generate where only worlds are built: the one subcommand there is.
#include <cstdio>
#include <exception>
#include <string_view>

#include "tools/world/world_command.h"

int main(int argc, char** argv) {
    const std::string_view wanted = argc < 2 ? "" : argv[1];
    const bool help = wanted == "--help" || wanted == "-h";
    if (wanted != "world") {
        std::fputs("usage: seine-generate world --out DIR [options]; seine-generate world --help\n",
                   help ? stdout : stderr);
        return help ? 0 : 2;
    }
    try {
        return seine::world::world_command(argc - 1, argv + 1);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-generate world: %s; out of memory or disk?\n", error.what());
        return 1;
    }
}
