#include "tools/bench/child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace seine::bench {
namespace {

double now_seconds() noexcept {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}
double seconds_of(const timeval& time) noexcept {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

[[noreturn]] void become(const std::vector<std::string>& arguments, int output) {
    dup2(output, STDOUT_FILENO);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDERR_FILENO);
    std::vector<char*> texts;
    for (const std::string& argument : arguments) texts.push_back(const_cast<char*>(argument.c_str()));
    texts.push_back(nullptr);
    execvp(texts[0], texts.data());
    _exit(127);
}

}  // namespace

Result<ChildResult> run_child(const std::vector<std::string>& arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return failed(std::string("no pipe: ") + std::strerror(errno));
    ChildResult out;
    const double started = now_seconds();
    const pid_t child = fork();
    if (child < 0) return failed(std::string("no process: ") + std::strerror(errno));
    if (child == 0) become(arguments, ends[1]);
    close(ends[1]);
    std::array<char, 65536> buffer;
    for (ssize_t got = 1; got > 0;) {
        got = read(ends[0], buffer.data(), buffer.size());
        if (got > 0 && out.output_begin.size() < 200)
            out.output_begin.append(buffer.data(), std::min(static_cast<std::size_t>(got), 200 - out.output_begin.size()));
        if (got > 0 && out.first_output_seconds == 0) out.first_output_seconds = now_seconds() - started;
    }
    close(ends[0]);
    int status = 0;
    rusage used{};
    if (wait4(child, &status, 0, &used) != child) return failed(arguments[0] + ": lost sight of it");
    out.wall_seconds = now_seconds() - started;
    out.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failed(arguments.back() + ": does not run or does not end with 0; try it by hand");
    return out;
}

Result<ChildResult> run_command(const std::string& command) { return run_child({"/bin/sh", "-c", command}); }

std::string beside(const std::string& program) {
    std::array<char, 4096> path{};
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
    const std::string self(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return self.substr(0, self.rfind('/') + 1) + program;
}

}  // namespace seine::bench
