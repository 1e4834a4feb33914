// seine-generate: labelled worlds and packet mixes, one subcommand each.
#include <cstdio>
#include <exception>
#include <string_view>

#include "tools/generate/mix_command.h"
#include "tools/world/world_command.h"

namespace seine::generate {
namespace {

struct Subcommand {
    std::string_view name;
    const char* meaning;
    int (*run)(int argc, char** argv);
};
constexpr Subcommand kSubcommands[] = {
    {"mix", "a capture of API edge traffic with known truth", mix_command},
    {"world", "accounts, their flows and the farms among them, labelled", world::world_command},
};

int usage(std::FILE* out) {
    std::fputs("usage: seine-generate SUBCOMMAND [options]\n\n", out);
    for (const Subcommand& one : kSubcommands)
        std::fprintf(out, "  %-8.*s %s\n", static_cast<int>(one.name.size()), one.name.data(), one.meaning);
    return out == stdout ? 0 : 2;
}

int run_main(int argc, char** argv) {
    if (argc < 2) return usage(stderr);
    const std::string_view wanted = argv[1];
    if (wanted == "--help" || wanted == "-h") return usage(stdout);
    for (const Subcommand& one : kSubcommands)
        if (one.name == wanted) return one.run(argc - 1, argv + 1);
    std::fprintf(stderr, "seine-generate: no subcommand '%s'; seine-generate --help lists them\n", argv[1]);
    return 2;
}

}  // namespace
}  // namespace seine::generate

int main(int argc, char** argv) {
    try {
        return seine::generate::run_main(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-generate: %s; this is a mistake of ours, please report it\n", error.what());
        return 1;
    }
}
