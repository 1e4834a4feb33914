// seine-bench: what the dataplane costs, as ratios inside one run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>

#include <boost/program_options.hpp>

#include "dataplane/runtime/eal.h"
#include "tools/bench/rows.h"

namespace seine::bench {
namespace {

namespace po = boost::program_options;

void complain(const std::string& line) { std::fprintf(stderr, "seine-bench: %s\n", line.c_str()); }

po::options_description described(Options& out) {
    po::options_description options("options");
    options.add_options()
        ("json", po::bool_switch(&out.json), "print {machine, rows} as JSON instead of a table")
        ("rows", po::value(&out.rows)->value_name("A,B"), "only these groups; --list names them")
        ("list", po::bool_switch(&out.list), "name the groups and end")
        ("quick", po::bool_switch(&out.quick), "small inputs and few rounds: shows that everything runs")
        ("packets", po::value(&out.packets)->value_name("N")->default_value(out.packets),
         "packets of the mix, flows played to their end")
        ("passes", po::value(&out.passes)->value_name("N")->default_value(out.passes), "interleaved rounds a row")
        ("capture", po::value(&out.capture)->value_name("FILE"), "take the mix from a capture")
        ("file", po::value(&out.file)->value_name("FILE"), "compare programs on this capture, with --peer")
        ("peer", po::value(&out.peer)->value_name("'COMMAND {}'"), "the other program; {} stands for the file")
        ("feed", po::value(&out.feed)->value_name("FILE"),
         "no figures: the flows of this capture as JSON lines, told by the line that rows measure")
        ("output,o", po::value(&out.output)->value_name("FILE")->default_value(out.output), "- is stdout")
        ("help,h", po::bool_switch(&out.help), "print this");
    return options;
}

bool wanted(const Options& options, const RowGroup& group) {
    if (options.rows.empty()) return group.by_default;
    std::stringstream names(options.rows);
    for (std::string name; std::getline(names, name, ',');)
        if (name == group.name) return true;
    return false;
}

Status known_names(const Options& options) {
    std::stringstream names(options.rows);
    for (std::string name; std::getline(names, name, ',');) {
        bool found = false;
        for (const RowGroup& group : row_groups()) found |= name == group.name;
        if (!found) return {Code::usage, "--rows: no group '" + name + "'; seine-bench --list names them"};
    }
    return {};
}

Status write(const Options& options, const std::string& text) {
    if (options.output == "-") {
        std::fputs(text.c_str(), stdout);
        return {};
    }
    std::ofstream file(options.output);
    file << text;
    file.close();
    if (!file) return failed(options.output + ": cannot be written; choose another place with --output");
    return {};
}

Status run(const Options& options) {
    runtime::EalPlan plan;
    plan.program = "seine-bench";
    plan.memory_bytes = std::size_t{128} << 20;
    plan.slots = 2;
    auto eal = runtime::Eal::start(plan);
    if (!eal) return eal.error();
    if (!eal->notice().empty()) complain(eal->notice());
    if (!options.feed.empty()) return tell_capture(options);
    Report report(Machine::look());
    Bench bench(options, report);
    for (const RowGroup& group : row_groups()) {
        if (!wanted(options, group)) continue;
        const Status status = group.run(bench);
        if (!status.ok()) return {status.code(), std::string(group.name) + ": " + status.message()};
    }
    return write(options, options.json ? report.json() : report.table());
}

int run_main(int argc, char** argv) {
    Options options;
    const char* scratch = std::getenv("TMPDIR");
    options.scratch = scratch != nullptr ? scratch : "/dev/shm";
    const auto description = described(options);
    try {
        po::variables_map seen;
        po::store(po::command_line_parser(argc, argv).options(description).positional({}).run(), seen);
        po::notify(seen);
    } catch (const po::error& error) {
        complain(std::string(error.what()) + "; see seine-bench --help");
        return 2;
    }
    if (options.help) {
        std::ostringstream text;
        text << "usage: seine-bench [options]\nWhat the dataplane costs, as ratios inside one run.\n\n" << description;
        std::fputs(text.str().c_str(), stdout);
        return 0;
    }
    if (options.list) {
        for (const RowGroup& group : row_groups()) std::printf("%-14s %s\n", group.name, group.meaning);
        return 0;
    }
    if (options.quick) {
        options.packets = std::min(options.packets, 60'000u);
        options.passes = std::min(options.passes, 3u);
    }
    if ((!options.file.empty() || !options.peer.empty()) && options.rows.empty()) options.rows = "peer";
    Status status = known_names(options);
    if (status.ok()) status = run(options);
    if (status.ok()) return 0;
    complain(status.message());
    return status.code() == Code::usage ? 2 : 1;
}

}  // namespace
}  // namespace seine::bench

int main(int argc, char** argv) {
    try {
        return seine::bench::run_main(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-bench: %s; this is a mistake of ours, please report it\n", error.what());
        return 1;
    }
}
