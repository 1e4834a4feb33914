// The list of groups.
#include "control/cli/doctor.h"

#include <fstream>
#include <sstream>

namespace seine::cli {
namespace {

constexpr DoctorGroup kGroups[] = {look_at_memory, look_at_interfaces, look_at_clock,
                                   look_at_access};

}  // namespace

std::span<const DoctorGroup> doctor_groups() noexcept { return kGroups; }

std::string_view name_of(Finding::Level level) noexcept {
    switch (level) {
        case Finding::Level::ok:
            return "ok";
        case Finding::Level::note:
            return "note";
        case Finding::Level::warn:
            return "warn";
        case Finding::Level::fail:
            return "fail";
    }
    return "";
}

std::string small_file(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    std::string out = text.str();
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    return out;
}

}  // namespace seine::cli
