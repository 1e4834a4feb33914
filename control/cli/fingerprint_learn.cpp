// Runs seine-replay over the capture and sends what it prints.
#include "control/cli/fingerprint_learn.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/cli/ask.h"
#include "control/cli/table.h"

extern char** environ;

namespace seine::cli {
namespace {

using command::JsonValue;

constexpr const char* kFields[] = {"ja4", "ja4_norm", "ja4_later", "h2_settings", "h2_akamai", "hdr_order", "hassh", "ja4h"};
constexpr std::size_t kOutputMax = std::size_t{256} << 20;
constexpr std::size_t kValuesARequest = 200;

// seine-replay beside this program, else by the PATH.
std::string replay_path() {
    char self[4096];
    const ssize_t bytes = ::readlink("/proc/self/exe", self, sizeof self);
    std::string path(self, bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
    path += "seine-replay";
    return ::access(path.c_str(), X_OK) == 0 ? path : "seine-replay";
}

Result<std::string> replay(const std::string& capture) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return failed(std::string("no pipe: ") + std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string program = replay_path();
    std::string file = capture;
    char* const words[] = {program.data(), file.data(), nullptr};
    pid_t child = 0;
    const int error = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    std::string out;
    if (error == 0) {
        char buffer[65536];
        ssize_t got = 0;
        while ((got = ::read(pipe[0], buffer, sizeof buffer)) > 0 && out.size() < kOutputMax)
            out.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(pipe[0]);
    if (error != 0) {
        return failed("seine-replay cannot be run (" + std::string(std::strerror(error)) +
                      "); install it beside seinectl or put its folder into PATH");
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failed(capture + ": seine-replay could not read it; what it says stands above");
    return out;
}

std::set<std::string> values_in(std::string_view lines) {
    std::set<std::string> out;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const auto flow = JsonValue::parse(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (!flow) continue;
        for (const char* name : kFields) {
            const JsonValue& value = (*flow)[name];
            const std::string field = std::string(name) == "ja4_later" ? "ja4" : name;
            if (value.is(JsonValue::Type::text)) out.insert(field + "=" + value.text());
            for (const JsonValue& item : value.items()) out.insert(field + "=" + item.text());
        }
    }
    return out;
}

}  // namespace

Status learn_fingerprints(const Invocation& invocation, const Write& write) {
    const std::string& capture = invocation.arguments.text("capture");
    if (!invocation.arguments.has("as")) {
        return {Code::usage, "fingerprint learn: --as NAME is missing; see seinectl fingerprint learn --help"};
    }
    const auto lines = replay(capture);
    if (!lines) return lines.error();
    const auto values = values_in(*lines);
    if (values.empty()) return failed(capture + ": no fingerprint in it; it must hold whole hellos of the client");
    std::uint64_t added = 0;
    std::uint64_t known = 0;
    for (auto at = values.begin(); at != values.end();) {
        command::Arguments arguments = invocation.arguments;
        arguments.set("capture", capture.substr(capture.rfind('/') + 1));
        std::vector<std::string> part;
        for (; at != values.end() && part.size() < kValuesARequest; ++at) part.push_back(*at);
        arguments.set_list("value", part);
        const auto answer = ask(invocation, arguments);
        if (!answer) return answer.error();
        const auto document = JsonValue::parse(*answer);
        if (!document) return {Code::corrupt, "the answer is " + document.error().message()};
        added += (*document)["added"].number();
        known += (*document)["known"].number();
    }
    const std::string text =
        invocation.json ? "{\"values\":" + std::to_string(values.size()) + ",\"added\":" + std::to_string(added) +
                              ",\"known\":" + std::to_string(known) + "}\n"
                        : grouped(added) + " fingerprints learned, " + grouped(known) + " known already\n";
    return write(text) ? Status() : failed("the output cannot be written");
}

}  // namespace seine::cli
