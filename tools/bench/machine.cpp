#include "tools/bench/machine.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>

#include "tools/bench/child.h"

namespace seine::bench {
namespace {

double clock_ns(clockid_t clock) noexcept {
    timespec at{};
    clock_gettime(clock, &at);
    return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

// Least of several short spans, so that a pause of ours does not count.
double measure_ticks() noexcept {
    double best = 0;
    for (int i = 0; i < 5; ++i) {
        const double started = clock_ns(CLOCK_MONOTONIC);
        const std::uint64_t ticks = __builtin_ia32_rdtsc();
        while (clock_ns(CLOCK_MONOTONIC) - started < 4e6) {
        }
        const double now = clock_ns(CLOCK_MONOTONIC);
        best = std::max(best, static_cast<double>(__builtin_ia32_rdtsc() - ticks) / (now - started));
    }
    return best;
}

// A chain of additions of which each waits for the last: one a cycle on every core of the last decades.
double measure_core() noexcept {
    constexpr std::uint64_t kSteps = 4'000'000;
    double best = 0;
    for (int i = 0; i < 5; ++i) {
        const double started = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        std::uint64_t value = 1;
        for (std::uint64_t step = 0; step < kSteps; ++step) asm volatile("add $1, %0" : "+r"(value));
        best = std::max(best, static_cast<double>(kSteps) / (clock_ns(CLOCK_THREAD_CPUTIME_ID) - started));
    }
    return best;
}

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) != 0) continue;
        const auto colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

std::string commit_of_tree() {
    const auto run = run_child({"git", "-C", SEINE_SOURCE_DIR, "describe", "--always", "--dirty"});
    std::string out = run ? run->output_begin : "unknown";
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

std::string decimal(double value, const char* form = "%.3f") {
    char text[40];
    std::snprintf(text, sizeof text, form, value);
    return text;
}

double load_now() noexcept {
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

Machine Machine::look() {
    Machine out;
    out.ticks_per_ns_ = measure_ticks();
    out.core_per_ns_ = measure_core();
    out.load_at_start_ = load_now();
    out.processor_ = cpu_name();
    out.commit_ = commit_of_tree();
    return out;
}

std::vector<std::pair<std::string, std::string>> Machine::entries() const {
    return {{"processor", processor_ + ", " + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " in use"},
            {"tsc_ghz", decimal(ticks_per_ns_)},
            {"core_ghz", decimal(core_per_ns_)},
            {"compiler", "g++ " __VERSION__},
            {"flags", SEINE_BENCH_FLAGS},
            {"commit", commit_},
            {"load_average", decimal(load_at_start_, "%.2f") + " at start, " + decimal(load_now(), "%.2f") + " at the end"}};
}

}  // namespace seine::bench
