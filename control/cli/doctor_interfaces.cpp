// Interfaces: offloads that merge packets before they are seen, receive queues, and what the
// interface itself has lost.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/cli/doctor.h"

namespace seine::cli {
namespace {

constexpr std::size_t kInterfacesMax = 64;

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* open = ::opendir(folder.c_str());
    if (open == nullptr) return names;
    while (const dirent* entry = ::readdir(open)) {
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(open);
    std::sort(names.begin(), names.end());
    return names;
}

// What one of the kernel's yes-or-no questions about an interface answers; false when it has none.
bool is_on(int socket, const std::string& interface, std::uint32_t question) {
    ethtool_value value{};
    value.cmd = question;
    ifreq request{};
    interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
    std::memcpy(&request.ifr_data, std::array<void*, 1>{&value}.data(), sizeof(void*));
    return ::ioctl(socket, SIOCETHTOOL, &request) == 0 &&
           (question == ETHTOOL_GFLAGS ? (value.data & ETH_FLAG_LRO) : value.data) != 0;
}

std::uint64_t count_of(const std::string& path) {
    const std::string text = small_file(path);
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void look_at_offloads(const std::string& name, std::vector<Finding>& findings) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    constexpr std::pair<const char*, std::uint32_t> kMerging[] = {{"gro", ETHTOOL_GGRO},
                                                                  {"lro", ETHTOOL_GFLAGS}};
    std::string merging;
    std::string remedy = "ethtool -K " + name;
    for (const auto& [offload, question] : kMerging) {
        if (!is_on(socket, name, question)) continue;
        merging.append(merging.empty() ? "" : " and ").append(offload);
        remedy.append(" ").append(offload).append(" off");
    }
    ::close(socket);
    if (merging.empty()) {
        findings.push_back(
            {"nic", Finding::Level::ok, name + " hands on packets as they were on the wire", ""});
    } else {
        findings.push_back({"nic", Finding::Level::warn,
                            name + " merges packets (" + merging +
                                "): sizes, counts and round trips of its flows are not the wire's",
                            remedy});
    }
}

void look_at_queues(const std::string& folder, const std::string& name, std::uint64_t workers,
                    std::vector<Finding>& findings) {
    std::uint64_t queues = 0;
    for (const std::string& queue : names_in(folder + "/queues"))
        queues += queue.starts_with("rx-") ? 1 : 0;
    const bool few = workers > queues && queues > 0;
    findings.push_back({"nic", few ? Finding::Level::note : Finding::Level::ok,
                        name + " has " + std::to_string(queues) +
                            (queues == 1 ? " receive queue" : " receive queues") + " for " +
                            std::to_string(workers) + (workers == 1 ? " worker" : " workers"),
                        few ? "ethtool -L " + name + " combined " + std::to_string(workers) +
                                  ", where the card has as many"
                            : ""});
    const std::uint64_t missed = count_of(folder + "/statistics/rx_missed_errors") +
                                 count_of(folder + "/statistics/rx_fifo_errors");
    if (missed > 0)
        findings.push_back({"nic", Finding::Level::warn,
                            name + " lost " + std::to_string(missed) +
                                " packets before anybody could read them since it is up",
                            "ethtool -G " + name + " rx 4096; more workers; see seinectl status"});
}

}  // namespace

std::vector<std::string> quoted_in(const std::string& text, const std::string& key) {
    std::vector<std::string> found;
    for (std::size_t line = 0; line < text.size();) {
        const std::size_t end = std::min(text.find('\n', line), text.size());
        const std::string row = text.substr(line, end - line);
        line = end + 1;
        if (!row.starts_with(key)) continue;
        const std::size_t equals = row.find_first_not_of(" \t", key.size());
        if (equals == std::string::npos || row[equals] != '=') continue;
        for (std::size_t at = row.find('"'); at != std::string::npos; at = row.find('"', at + 1)) {
            const std::size_t close = row.find('"', at + 1);
            if (close == std::string::npos) break;
            found.push_back(row.substr(at + 1, close - at - 1));
            at = close;
        }
    }
    return found;
}

void look_at_interfaces(const DoctorRoot& root, std::vector<Finding>& findings) {
    const std::string config = small_file(root.etc + "/seine/seine-dataplane.toml");
    std::vector<std::string> wanted;
    for (const char* key : {"af-packet", "af-xdp"}) {
        for (std::string& name : quoted_in(config, key)) wanted.push_back(std::move(name));
    }
    if (wanted.empty()) {
        findings.push_back({"nic", Finding::Level::note,
                            "no kernel interface is an input in " + root.etc +
                                "/seine/seine-dataplane.toml: none was looked at",
                            ""});
        return;
    }
    std::uint64_t workers = 1;
    const std::size_t at = config.find("\nworkers = ");
    if (at != std::string::npos)
        std::from_chars(config.data() + at + 11, config.data() + config.size(), workers);
    if (wanted.size() > kInterfacesMax) wanted.resize(kInterfacesMax);
    for (const std::string& name : wanted) {
        const std::string folder = root.sys + "/class/net/" + name;
        const std::string state = small_file(folder + "/operstate");
        if (state.empty()) {
            findings.push_back({"nic", Finding::Level::fail, "there is no interface " + name,
                                "ip -br link; then correct " + root.etc + "/seine/seine-dataplane.toml"});
            continue;
        }
        if (state == "down")
            findings.push_back({"nic", Finding::Level::fail, name + " is down: nothing comes in",
                                "ip link set " + name + " up; is the cable in?"});
        look_at_offloads(name, findings);
        look_at_queues(folder, name, workers, findings);
    }
}

}  // namespace seine::cli
