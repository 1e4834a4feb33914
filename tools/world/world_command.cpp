#include "tools/world/world_command.h"

#include <cstdio>
#include <sstream>
#include <string>

#include <boost/program_options.hpp>

#include "tools/world/maker.h"

namespace seine::world {
namespace {

namespace po = boost::program_options;

struct Command {
    MakeOptions make;
    std::string scale = "100000", parameters;
    double days = 0;
    std::int64_t at = 0;
    bool help = false, print_parameters = false;
};

po::options_description described() {
    po::options_description options("options");
    options.add_options()("out,o", po::value<std::string>()->value_name("DIR"),
                          "folder for the world; a world in it is replaced")(
        "level", po::value<std::string>()->value_name("LEVEL")->default_value("L4"),
        "how the farms work: L1 L2 L3 L4 L5a L5b L5c")("benign", "no farms at all")(
        "seed", po::value<std::uint64_t>()->value_name("N")->default_value(1),
        "the same seed makes the same bytes")(
        "scale", po::value<std::string>()->value_name("N")->default_value("100000"),
        "accounts (k and M may follow), or `published`: 1,024,000 accounts, 30 days, 16.55 million "
        "farm exchanges")("days", po::value<double>()->value_name("N"), "length of the window")(
        "day-of", po::value<std::int64_t>()->value_name("SECONDS"),
        "begin at 00:00 UTC of the day with this time (since 1970), to merge a capture with it")(
        "parameters", po::value<std::string>()->value_name("FILE"),
        "TOML that changes some of the built-in parameters")(
        "print-parameters", "print the built-in parameters, with their sources, and stop")(
        "packed", "flows.bin and accounts.bin, a fifth of the size of JSON lines")(
        "threads", po::value<unsigned>()->value_name("N")->default_value(0),
        "0: all cores; the world does not depend on it")("quiet,q", "no progress on stderr")(
        "help,h", "print this");
    return options;
}

std::string help_text() {
    std::ostringstream text;
    text << "usage: seine-generate world --out DIR [options]\n"
            "Benign accounts and farms of which the truth is known: flows, account records, "
            "prefixes; labels apart.\n\n"
         << described();
    return text.str();
}

Result<Command> read(int argc, char** argv) {
    Command out;
    try {
        po::variables_map seen;
        po::store(po::command_line_parser(argc, argv).options(described()).run(), seen);
        po::notify(seen);
        out.help = seen.count("help") > 0;
        out.print_parameters = seen.count("print-parameters") > 0;
        if (seen.count("out") > 0) out.make.folder = seen["out"].as<std::string>();
        out.make.level = seen["level"].as<std::string>();
        out.make.seed = seen["seed"].as<std::uint64_t>();
        out.make.packed = seen.count("packed") > 0;
        out.make.farms = seen.count("benign") == 0;
        out.make.threads = seen["threads"].as<unsigned>();
        out.make.progress = seen.count("quiet") == 0;
        out.scale = seen["scale"].as<std::string>();
        if (seen.count("days") > 0) out.days = seen["days"].as<double>();
        if (seen.count("day-of") > 0) out.at = seen["day-of"].as<std::int64_t>();
        if (seen.count("parameters") > 0) out.parameters = seen["parameters"].as<std::string>();
    } catch (const po::error& error) {
        return Status(Code::usage, std::string(error.what()) + "; see seine-generate world --help");
    }
    if (out.make.folder.empty() && !out.help && !out.print_parameters)
        return Status(Code::usage, "where to? give --out DIR; see seine-generate world --help");
    return out;
}

Status run(Command& command) {
    auto parameters = read_parameters(command.parameters);
    if (!parameters) return parameters.error();
    if (Status s = set_scale(*parameters, command.scale); !s.ok()) return s;
    if (command.days > 0) parameters->world.days = command.days;
    if (command.days > 90) return {Code::usage, "--days: at most 90"};
    if (command.at > 0) parameters->world.start_epoch_s = command.at - command.at % 86400;
    const auto counts = make_world(*parameters, command.make);
    if (!counts) return counts.error();
    std::fprintf(stderr,
                 "%s: %s seed %llu, %llu accounts (%llu of farms; %llu at work), %llu connections, "
                 "%llu exchanges (%llu of farms), %llu records, %.1f s\n",
                 command.make.folder.c_str(),
                 command.make.farms ? command.make.level.c_str() : "benign",
                 static_cast<unsigned long long>(command.make.seed),
                 static_cast<unsigned long long>(counts->accounts),
                 static_cast<unsigned long long>(counts->farm_accounts),
                 static_cast<unsigned long long>(counts->active),
                 static_cast<unsigned long long>(counts->flows),
                 static_cast<unsigned long long>(counts->exchanges),
                 static_cast<unsigned long long>(counts->farm_exchanges),
                 static_cast<unsigned long long>(counts->records), counts->seconds);
    return {};
}

}  // namespace

int world_command(int argc, char** argv) {
    auto command = read(argc, argv);
    Status status = command ? Status() : command.error();
    if (command && command->help) {
        std::fputs(help_text().c_str(), stdout);
        return 0;
    }
    if (command && command->print_parameters) {
        std::fputs(kWorldToml, stdout);
        return 0;
    }
    if (command) status = run(*command);
    if (status.ok()) return 0;
    std::fprintf(stderr, "seine-generate world: %s\n", status.message().c_str());
    return status.code() == Code::usage ? 2 : 1;
}

}  // namespace seine::world
