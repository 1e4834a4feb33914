// Hugepages, transparent hugepages, free memory and the shared folder that rings live in.
#include <charconv>
#include <sys/statvfs.h>

#include "control/cli/doctor.h"

namespace seine::cli {
namespace {

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// The figure of "Name:   123 kB" in a file like meminfo; 0 when it is not there.
std::uint64_t member(const std::string& text, const std::string& name) {
    const std::size_t at = text.find(name + ":");
    if (at == std::string::npos) return 0;
    const std::size_t digit = text.find_first_of("0123456789", at);
    return digit == std::string::npos ? 0 : number(text.substr(digit, 20));
}

}  // namespace

void look_at_memory(const DoctorRoot& root, std::vector<Finding>& findings) {
    const std::string meminfo = small_file(root.proc + "/meminfo");
    const std::uint64_t pages = member(meminfo, "HugePages_Total");
    const std::uint64_t free_pages = member(meminfo, "HugePages_Free");
    const std::uint64_t page_kb = member(meminfo, "Hugepagesize");
    if (pages == 0) {
        findings.push_back(
            {"memory", Finding::Level::warn,
             "no hugepages are reserved: the dataplane runs with ordinary pages and slower",
             "sysctl -w vm.nr_hugepages=512, and the same in /etc/sysctl.d/60-seine.conf"});
    } else {
        findings.push_back({"memory", Finding::Level::ok,
                            std::to_string(pages) + " hugepages of " + std::to_string(page_kb) +
                                " kB, " + std::to_string(free_pages) + " free",
                            ""});
    }
    const std::string always = small_file(root.sys + "/kernel/mm/transparent_hugepage/enabled");
    if (always.find("[always]") != std::string::npos)
        findings.push_back(
            {"memory", Finding::Level::note,
             "transparent hugepages are on for all: pauses while the kernel compacts",
             "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"});
    const std::uint64_t available_mb = member(meminfo, "MemAvailable") / 1024;
    findings.push_back({"memory", available_mb < 1024 ? Finding::Level::warn : Finding::Level::ok,
                        std::to_string(available_mb) + " MiB of memory are available",
                        available_mb < 1024 ? "free memory, or lower limits.live_flows" : ""});
    struct statvfs about {};
    if (::statvfs("/dev/shm", &about) == 0) {
        const std::uint64_t free_mb = (std::uint64_t{about.f_bavail} * about.f_frsize) >> 20;
        if (free_mb < 256)
            findings.push_back(
                {"memory", Finding::Level::warn,
                 "/dev/shm has " + std::to_string(free_mb) + " MiB left: rings may not fit",
                 "mount -o remount,size=2G /dev/shm"});
    }
}

}  // namespace seine::cli
