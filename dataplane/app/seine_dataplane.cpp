// seine-dataplane: config, EAL, ports, workers, exporter, signals.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <exception>

#include "dataplane/app/config.h"
#include "dataplane/app/run.h"

namespace {

std::atomic<bool> stop_asked{false};

void ask_for_the_end(int) { stop_asked.store(true, std::memory_order_relaxed); }

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = ask_for_the_end;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, nullptr);  // a reader that went away is told by write()
    sigaction(SIGHUP, &action, nullptr);   // there is no log or certificate to read again
}

int run_main(int argc, char** argv) {
    auto config = seine::app::read_config(argc, argv);
    if (!config) {
        std::fprintf(stderr, "seine-dataplane: %s\n", config.error().message().c_str());
        return config.error().code() == seine::Code::usage ? 2 : 1;
    }
    switch (config->action) {
        case seine::app::Action::help:
            std::fputs(seine::app::help_text().c_str(), stdout);
            return 0;
        case seine::app::Action::version:
            std::fputs(seine::app::version_text().c_str(), stdout);
            return 0;
        case seine::app::Action::explain_offload:
            std::fputs(seine::app::explain_offload(*config).c_str(), stdout);
            return 0;
        case seine::app::Action::run:
            break;
    }
    watch_signals();
    return seine::app::run(*config, stop_asked);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_main(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-dataplane: %s; this is a mistake of ours, please report it\n",
                     error.what());
        return 1;
    }
}
