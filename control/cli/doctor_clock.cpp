// Whether somebody disciplines the clock, and how far it may be off: joins compare times of several
// machines.
#include <sys/timex.h>

#include "control/cli/doctor.h"

namespace seine::cli {

void look_at_clock(const DoctorRoot& root, std::vector<Finding>& findings) {
    timex state{};
    const int answer = ::adjtimex(&state);
    if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        findings.push_back({"clock", Finding::Level::warn,
                            "nobody disciplines the clock: joins with gateways may fail",
                            "apt-get install chrony; for a PTP clock use phc2sys"});
    } else {
        const long off_us = state.maxerror;
        const bool far = off_us > 100'000;
        findings.push_back(
            {"clock", far ? Finding::Level::warn : Finding::Level::ok,
             "the clock is disciplined, off by at most " + std::to_string(off_us) + " us",
             far ? "chronyc sources -v: choose nearer servers" : ""});
    }
    const std::string source =
        small_file(root.sys + "/devices/system/clocksource/clocksource0/current_clocksource");
    if (!source.empty() && source != "tsc" && source != "kvm-clock" &&
        source != "hyperv_clocksource_tsc_page")
        findings.push_back({"clock", Finding::Level::note,
                            "the kernel's clock source is " + source + ", which is slow to read",
                            "boot with clocksource=tsc where the CPU allows it"});
}

}  // namespace seine::cli
