#include "control/service/live_flows.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>

namespace seine::service {
namespace {

constexpr std::uint64_t kShare = 8;
constexpr std::uint64_t kEachBytes = 256;
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t number_at(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end != text.data() ? value : kNoLimit;
}

// "MemTotal:  24576000 kB"
std::uint64_t of_machine(const std::string& root) {
    std::ifstream file(root + "/proc/meminfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("MemTotal:")) continue;
        const std::size_t digit = line.find_first_of("0123456789");
        const std::uint64_t kib = digit == std::string::npos ? kNoLimit : number_at(std::string_view(line).substr(digit));
        return kib > kNoLimit / 1024 ? kNoLimit : kib * 1024;
    }
    return kNoLimit;
}

// Control groups, version 2: "0::/system.slice/seine-control.service"; each on the way up may limit it.
std::uint64_t of_groups(const std::string& root) {
    std::ifstream file(root + "/proc/self/cgroup");
    std::uint64_t least = kNoLimit;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("0::/")) continue;
        std::string group = line.substr(3);
        while (!group.empty()) {
            std::string limit;
            if (std::ifstream(root + "/sys/fs/cgroup" + group + "/memory.max") >> limit) least = std::min(least, number_at(limit));
            group.resize(std::min(group.rfind('/'), group.size()));
        }
    }
    return least;
}

}  // namespace

std::uint64_t live_flows_for(std::uint64_t memory_bytes) noexcept {
    return std::clamp(memory_bytes / kShare / kEachBytes, kLiveFlowsLeast, kLiveFlowsMost);
}

std::uint64_t memory_for_us(const std::string& root) { return std::min(of_machine(root), of_groups(root)); }

}  // namespace seine::service
