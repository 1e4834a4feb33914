// seine-control: command line and signals.
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <string>

#include <boost/program_options.hpp>

#include "control/service/config.h"
#include "control/service/run.h"

namespace {

namespace po = boost::program_options;

seine::service::Signals signals;

void on_signal(int number) {
    (number == SIGHUP ? signals.hang_up : signals.end).store(true, std::memory_order_relaxed);
}

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, nullptr);
}

int fail(const seine::Status& status) {
    std::fprintf(stderr, "seine-control: %s\n", status.message().c_str());
    return status.code() == seine::Code::usage ? 2 : 1;
}

po::options_description options_table() {
    po::options_description options("Options");
    auto add = options.add_options();
    add("config", po::value<std::string>()->value_name("FILE.toml"), "what it needs to start (seine-control --example-config)");
    add("check", "read the file, say what is wrong, and end");
    add("example-config", "print a file with every key, its meaning and default");
    add("man", "print the man page");
    add("help,h", "say what there is");
    add("version", "say what this is");
    return options;
}

int print(const std::string& text) {
    return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 1;
}

// What a batch takes is given back and taken again every second: it stays ours, in place of page
// faults (a seventh of the processor time at 30,000 flows/s).
void keep_memory() {
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 512 << 20);
    ::mallopt(M_TOP_PAD, 16 << 20);
    // What the heap grows into first is asked for in huge pages: taken, and given back untouched.
    constexpr std::size_t kBlocks = 16;
    constexpr std::size_t kBlockBytes = std::size_t{24} << 20;
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    void* blocks[kBlocks];
    const auto begin = reinterpret_cast<std::uintptr_t>(::sbrk(0));  // NOLINT
    for (void*& block : blocks) block = std::malloc(kBlockBytes);
    const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));  // NOLINT
    const std::uintptr_t from = (begin + kHugePage - 1) / kHugePage * kHugePage;
    // A hint: without huge pages it is slower.
    if (from < end) static_cast<void>(::madvise(reinterpret_cast<void*>(from), end - from, MADV_HUGEPAGE));  // NOLINT
    for (void* block : blocks) std::free(block);
}

int run_main(int argc, char** argv) {
    using namespace seine;
    po::variables_map given;
    try {
        namespace style = po::command_line_style;
        const int how = style::unix_style & ~style::allow_guessing;
        po::store(po::command_line_parser(argc, argv).options(options_table()).style(how).run(), given);
    } catch (const po::error& error) {
        return fail({Code::usage, std::string(error.what()) + "; see seine-control --help"});
    }
    if (given.count("help") != 0) {
        std::ostringstream text;
        text << "seine-control --config FILE.toml\n\n" << options_table()
             << "\nSIGTERM writes what is in hand and ends with 0; SIGHUP opens the log again and reads keys and "
                "certificates again.\nExit: 0 ended well, 1 failed, 2 a mistake in the command line or the file.\n";
        return print(text.str());
    }
    if (given.count("version") != 0) return print("seine-control " SEINE_VERSION "\n");
    if (given.count("example-config") != 0) return print(service::example_config());
    if (given.count("man") != 0) return print(service::man_page());
    service::Config config;
    if (given.count("config") != 0) {
        const auto read = service::read_config(given["config"].as<std::string>());
        if (!read) return fail(read.error());
        config = *read;
    } else if (given.count("check") == 0) {
        return fail({Code::usage, "--config FILE.toml is missing; seine-control --example-config prints one"});
    }
    if (given.count("check") != 0) return 0;
    keep_memory();
    watch_signals();
    const Status status = service::run(config, signals);
    return status.ok() ? 0 : fail(status);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_main(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-control: %s; this is a mistake of ours, please report it\n", error.what());
        return 1;
    }
}
