#include "dataplane/runtime/dpdk_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string_view>

#include <rte_log.h>

namespace seine::runtime {
namespace {

constexpr std::size_t kLogBytesMax = 16384;

// Drivers log from any thread, and only when something is wrong: a lock is fine here.
struct Log {
    std::mutex mutex;
    std::string text;
};
Log& log() {
    static Log instance;
    return instance;
}

ssize_t keep(void*, const char* bytes, std::size_t count) {
    const std::lock_guard lock(log().mutex);
    if (log().text.size() < kLogBytesMax) {
        log().text.append(bytes, std::min(count, kLogBytesMax - log().text.size()));
    }
    return static_cast<ssize_t>(count);
}

// Cuts "EAL: " and "eth_pcap_open(): " and the like, which say nothing to an operator.
std::string_view without_prefix(std::string_view line) {
    for (int i = 0; i < 3; ++i) {
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos || colon > 40) break;
        const std::string_view head = line.substr(0, colon);
        const bool function = head.ends_with("()");
        const bool shouted = std::all_of(head.begin(), head.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || (c >= '0' && c <= '9');
        });
        if (!function && !shouted) break;
        line.remove_prefix(colon + 2);
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '.')) {
        line.remove_suffix(1);
    }
    return line;
}

bool names_an_error(std::string_view line) {
    static constexpr std::string_view kSigns[] = {
        "annot", "ailed", "nvalid", "rror", "nrecognized", "not ", "ould", "No ", "denied",
        "requires an argument", "ambiguous", "unknown", "too ", "unsupported"};
    return std::any_of(std::begin(kSigns), std::end(kSigns), [line](std::string_view sign) {
        return line.find(sign) != std::string_view::npos;
    });
}

}  // namespace

void capture_dpdk_log() {
    static constexpr cookie_io_functions_t kFunctions = {nullptr, keep, nullptr, nullptr};
    static std::FILE* const stream = [] {
        std::FILE* file = fopencookie(nullptr, "w", kFunctions);
        if (file != nullptr) std::setvbuf(file, nullptr, _IOLBF, 0);
        return file;
    }();
    if (stream != nullptr) rte_openlog_stream(stream);
}

void clear_dpdk_log() {
    const std::lock_guard lock(log().mutex);
    log().text.clear();
}

std::string first_dpdk_error() {
    const std::lock_guard lock(log().mutex);
    return error_line(log().text);
}

std::string error_line(const std::string& text) {
    std::string_view left = text;
    while (!left.empty()) {
        const std::size_t end = std::min(left.find('\n'), left.size());
        const std::string_view line = left.substr(0, end);
        left.remove_prefix(std::min(end + 1, left.size()));
        if (line.starts_with("EAL: Detected") || line.starts_with("Usage:")) continue;
        if (names_an_error(line)) return std::string(without_prefix(line));
    }
    return {};
}

TerminalSilence::TerminalSilence() {
    std::fflush(stdout);
    std::fflush(stderr);
    memory_ = memfd_create("dpdk-start", MFD_CLOEXEC);
    if (memory_ < 0) return;
    for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        saved_[fd - STDOUT_FILENO] = dup(fd);
        dup2(memory_, fd);
    }
}

std::string TerminalSilence::end() {
    if (memory_ < 0) return {};
    std::fflush(stdout);
    std::fflush(stderr);
    for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        int& saved = saved_[fd - STDOUT_FILENO];
        if (saved < 0) continue;
        dup2(saved, fd);
        close(saved);
        saved = -1;
    }
    std::string text(kLogBytesMax, '\0');
    const ssize_t got = pread(memory_, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    close(memory_);
    memory_ = -1;
    return text;
}

TerminalSilence::~TerminalSilence() { static_cast<void>(end()); }

}  // namespace seine::runtime
