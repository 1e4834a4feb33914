#include "tools/replay/options.h"

#include <sstream>

#include <boost/program_options.hpp>

namespace seine::replay {
namespace {

namespace po = boost::program_options;

po::options_description described() {
    po::options_description options("options");
    options.add_options()
        ("events", "one JSON line per record (open, request, update, close) instead of one per flow")
        ("raw", "also the forms that hold values in clear: ja4_r, ja4_ro, ja4s_r, ja4h_r")
        ("sorted", "hold the lines back and print them in order of time and 5-tuple")
        ("output,o", po::value<std::string>()->value_name("FILE")->default_value("-"),
         "where the lines go; - is stdout")
        ("signatures", po::value<std::string>()->value_name("DIR"), "match with the rules below DIR; hits are findings (--events)")
        ("counters", po::value<std::string>()->value_name("FILE"), "write every counter as JSON at the end")
        ("version", "print the version and whether JA4+ is built in")
        ("help,h", "print this");
    return options;
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
    po::options_description hidden;
    hidden.add_options()("file", po::value<std::vector<std::string>>());
    po::options_description all;
    all.add(described()).add(hidden);
    po::positional_options_description files;
    files.add("file", -1);
    Options out;
    try {
        po::variables_map seen;
        po::store(po::command_line_parser(argc, argv).options(all).positional(files).run(), seen);
        po::notify(seen);
        out.events = seen.count("events") > 0;
        out.raw = seen.count("raw") > 0;
        out.sorted = seen.count("sorted") > 0;
        out.help = seen.count("help") > 0;
        out.version = seen.count("version") > 0;
        out.output = seen["output"].as<std::string>();
        if (seen.count("signatures") > 0) out.signatures = seen["signatures"].as<std::string>();
        if (seen.count("counters") > 0) out.counters = seen["counters"].as<std::string>();
        if (seen.count("file") > 0) out.files = seen["file"].as<std::vector<std::string>>();
    } catch (const po::error& error) {
        return Status(Code::usage, std::string(error.what()) + "; see seine-replay --help");
    }
    if (out.files.empty() && !out.help && !out.version)
        return Status(Code::usage, "no capture given; usage: seine-replay [options] FILE...");
    return out;
}

std::string help_text() {
    std::ostringstream text;
    text << "usage: seine-replay [options] FILE...\n"
            "Captures through the inspector without DPDK; one JSON line per flow on stdout.\n"
            "FILE is pcap or pcapng; - is standard input.\n\n"
         << described();
    return text.str();
}

}  // namespace seine::replay
