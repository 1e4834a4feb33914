#include "control/cli/child_lines.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace seine::cli {
namespace {

std::string beside_us(const std::string& program) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto path = self.parent_path() / program;
    return !error && std::filesystem::exists(path, error) ? path.string() : program;
}

void take_lines(int fd, const std::function<void(std::string_view)>& take) {
    std::string held;
    std::vector<char> buffer(std::size_t{64} << 10);
    while (true) {
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        held.append(buffer.data(), static_cast<std::size_t>(got));
        std::size_t at = 0;
        for (std::size_t end = held.find('\n'); end != std::string::npos;
             end = held.find('\n', at)) {
            take(std::string_view(held).substr(at, end - at));
            at = end + 1;
        }
        held.erase(0, at);
    }
    if (!held.empty()) take(held);
}

}  // namespace

Status for_each_line(const std::string& program, const std::vector<std::string>& arguments,
                     const std::function<void(std::string_view)>& take) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return failed(std::string("no pipe can be made: ") + std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    const int error = posix_spawnp(&child, beside_us(program).c_str(), &actions, nullptr,
                                   pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return failed(program + ": cannot be started (" + std::strerror(error) +
                      "); is it installed beside seinectl?");
    }
    take_lines(ends[0], take);
    close(ends[0]);
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return {};
    return failed(program + " did not end well; what it says is above");
}

}  // namespace seine::cli
