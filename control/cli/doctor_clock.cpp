// Who disciplines the clock, how far it may be off, and how far PTP clocks of the cards are from
// it: joins compare times of several machines.
#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <unistd.h>

#include "control/cli/doctor.h"

namespace seine::cli {
namespace {

constexpr long kFarUs = 100'000;
constexpr std::int64_t kPtpFarNs = 1'000'000;

// The daemon that sets the clock, by the names of the processes that run; empty: none is known.
std::string keeper(const DoctorRoot& root) {
    constexpr std::string_view kKeepers[] = {"phc2sys",         "chronyd",    "ntpd",    "ntpsec",
                                             "systemd-timesyn", "timemaster", "openntpd"};
    std::string found;
    DIR* open = ::opendir(root.proc.c_str());
    if (open == nullptr) return found;
    while (const dirent* entry = ::readdir(open)) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        const std::string name = small_file(root.proc + "/" + entry->d_name + "/comm");
        if (std::find(std::begin(kKeepers), std::end(kKeepers), name) != std::end(kKeepers))
            found = name;
    }
    ::closedir(open);
    return found;
}

std::int64_t ns_of(const ptp_clock_time& time) {
    return static_cast<std::int64_t>(time.sec) * 1'000'000'000 + time.nsec;
}

// Of one card's clock less the system's, by the quickest of a few readings; false: none can be had.
bool ptp_offset(const std::string& device, std::int64_t& offset_ns) {
    const int clock = ::open(device.c_str(), O_RDONLY | O_CLOEXEC);
    if (clock < 0) return false;
    ptp_sys_offset readings{};
    readings.n_samples = 5;
    const bool read = ::ioctl(clock, PTP_SYS_OFFSET, &readings) == 0;
    ::close(clock);
    if (!read) return false;
    std::int64_t quickest = -1;
    for (unsigned i = 0; i < readings.n_samples; ++i) {
        const std::int64_t before = ns_of(readings.ts[2 * i]);
        const std::int64_t card = ns_of(readings.ts[2 * i + 1]);
        const std::int64_t after = ns_of(readings.ts[2 * i + 2]);
        if (quickest >= 0 && after - before >= quickest) continue;
        quickest = after - before;
        offset_ns = card - (before + after) / 2;
    }
    return true;
}

void look_at_ptp(const DoctorRoot& root, long tai_s, std::vector<Finding>& findings) {
    for (int number = 0; number < 16; ++number) {
        const std::string name = "ptp" + std::to_string(number);
        const std::string about = small_file(root.sys + "/class/ptp/" + name + "/clock_name");
        std::int64_t offset_ns = 0;
        if (about.empty() || !ptp_offset("/dev/" + name, offset_ns)) continue;
        // Cards that ptp4l sets keep TAI, which is ahead of UTC by whole seconds.
        const std::int64_t tai_ns = std::int64_t{tai_s} * 1'000'000'000;
        if (tai_s > 0 && std::abs(offset_ns - tai_ns) < std::abs(offset_ns)) offset_ns -= tai_ns;
        const bool far = std::abs(offset_ns) > kPtpFarNs;
        findings.push_back(
            {"clock", far ? Finding::Level::note : Finding::Level::ok,
             "/dev/" + name + " (" + about + ") is " + std::to_string(offset_ns / 1000) +
                 " us from the system's clock",
             far ? "where times come from this card: phc2sys -s /dev/" + name + " -O 0 -m" : ""});
    }
}

}  // namespace

void look_at_clock(const DoctorRoot& root, std::vector<Finding>& findings) {
    timex state{};
    const int answer = ::adjtimex(&state);
    const std::string who = keeper(root);
    if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        findings.push_back({"clock", Finding::Level::warn,
                            who.empty()
                                ? "nobody disciplines the clock: joins with gateways may fail"
                                : who + " runs and has not set the clock yet",
                            who.empty() ? "apt-get install chrony; for a PTP clock use phc2sys"
                            : who == "chronyd" ? "chronyc sources -v"
                                               : "look at the log of " + who});
    } else {
        const long off_us = state.maxerror;
        const long now_us = (state.status & STA_NANO) != 0 ? state.offset / 1000 : state.offset;
        const bool far = off_us > kFarUs;
        findings.push_back({"clock", far ? Finding::Level::warn : Finding::Level::ok,
                            (who.empty() ? std::string("the clock is disciplined")
                                         : who + " disciplines the clock") +
                                ", off by " + std::to_string(off_us) + " us at most (now " +
                                std::to_string(now_us) + " us)",
                            far ? "chronyc sources -v: choose nearer servers" : ""});
    }
    look_at_ptp(root, state.tai, findings);
    const std::string source =
        small_file(root.sys + "/devices/system/clocksource/clocksource0/current_clocksource");
    if (!source.empty() && source != "tsc" && source != "kvm-clock" &&
        source != "hyperv_clocksource_tsc_page")
        findings.push_back({"clock", Finding::Level::note,
                            "the kernel's clock source is " + source + ", which is slow to read",
                            "boot with clocksource=tsc where the CPU allows it"});
}

}  // namespace seine::cli
