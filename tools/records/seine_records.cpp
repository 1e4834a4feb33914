// seine-records: a ring file as JSON lines, and the page that documents its bytes.
#include <cstdio>
#include <iostream>
#include <string>

#include <boost/program_options.hpp>

#include "tools/records/dump.h"
#include "tools/records/layout_page.h"

namespace {

namespace po = boost::program_options;
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int complain(const std::string& message, int code) {
    std::fprintf(stderr, "seine-records: %s\n", message.c_str());
    return code;
}

bool print(const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

int ended(bool printed) {
    return printed && std::fflush(stdout) == 0 ? kDone
                                               : complain("the output cannot be written", kFailed);
}

int dump_ring(const seine::records::DumpOptions& options) {
    bool printed = true;
    const auto dumped = seine::records::dump(
        options, [&printed](const std::string& line) { return printed = print(line); });
    if (!dumped) return complain(dumped.error().message(), kFailed);
    const int code = ended(printed);
    if (dumped->lost > 0)
        complain(
            options.path + ": " + std::to_string(dumped->lost) + " records between these were lost",
            kDone);
    if (dumped->unreadable > 0) {
        complain(
            options.path + ": " + std::to_string(dumped->unreadable) + " frames could not be read",
            kDone);
    }
    if (dumped->broken_off) {
        return complain(options.path + ": damaged, or overtaken by its writer, after " +
                            std::to_string(dumped->frames) +
                            " frames; run again, or stop the dataplane first",
                        kFailed);
    }
    return dumped->unreadable > 0 ? kFailed : code;
}

bool is_kind(const std::string& name) {
    for (const char* kind : {"open", "request", "update", "close", "finding"}) {
        if (name == kind) return true;
    }
    return false;
}

int run(const po::variables_map& given, const po::options_description& options) {
    if (given.count("help") != 0) {
        std::cout << "seine-records RING [OPTIONS]: records that wait in a ring file, as JSON "
                     "lines; nothing is taken out\n\n"
                  << options << "\nExit: 0 done, 1 failed, 2 wrong usage.\n";
        return std::cout.flush() ? kDone : kFailed;
    }
    if (given.count("version") != 0) return ended(print("seine-records " SEINE_VERSION "\n"));
    if (given.count("docs") != 0) return ended(print(seine::records::layout_page()));
    if (given.count("ring") == 0)
        return complain("which ring? Name its file; see seine-records --help", kUsage);
    seine::records::DumpOptions wanted;
    wanted.path = given["ring"].as<std::string>();
    wanted.flows = given.count("flows") != 0;
    if (given.count("count") != 0) wanted.frames_max = given["count"].as<std::uint64_t>();
    if (given.count("kind") != 0) wanted.kind = given["kind"].as<std::string>();
    if (!wanted.kind.empty() && !is_kind(wanted.kind)) {
        return complain("`" + wanted.kind + "` is no kind: open request update close finding",
                        kUsage);
    }
    if (given.count("summary") == 0) return dump_ring(wanted);
    const auto summary = seine::records::ring_summary(wanted.path);
    if (!summary) return complain(summary.error().message(), kFailed);
    return ended(print(*summary + "\n"));
}

}  // namespace

int main(int argc, char** argv) {
    po::options_description options("Options");
    auto add = options.add_options();
    add("flows", "fold the records of each flow into one line");
    add("kind", po::value<std::string>()->value_name("KIND"),
        "only open, request, update, close or finding");
    add("count", po::value<std::uint64_t>()->value_name("N"), "the first N frames");
    add("summary", "the ring's header: epoch, state, counters by worker");
    add("docs", "print docs/records.md");
    add("help,h", "say what there is");
    add("version", "say what this is");
    po::options_description all = options;
    all.add_options()("ring", po::value<std::string>());
    po::positional_options_description positions;
    positions.add("ring", 1);
    po::variables_map given;
    try {
        namespace style = po::command_line_style;
        const int how = style::unix_style & ~style::allow_guessing;
        po::store(
            po::command_line_parser(argc, argv).options(all).positional(positions).style(how).run(),
            given);
        return run(given, options);
    } catch (const po::error& error) {
        return complain(std::string(error.what()) + "; see seine-records --help", kUsage);
    }
}
