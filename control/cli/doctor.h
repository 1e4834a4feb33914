// What a machine needs to run Seine well: one file per group of checks, each a list of findings.
#pragma once
#include <span>
#include <string>
#include <vector>

namespace seine::cli {

struct Finding {
    enum class Level { ok, note, warn, fail };
    std::string group;  // "memory"
    Level level = Level::ok;
    std::string text;    // what is
    std::string remedy;  // what to do; empty when nothing
};

// Where to look, so that tests may look elsewhere.
struct DoctorRoot {
    std::string proc = "/proc";
    std::string sys = "/sys";
    std::string etc = "/etc";
    std::string state = "/var/lib/seine";
    std::string run = "/run/seine";
};

using DoctorGroup = void (*)(const DoctorRoot& root, std::vector<Finding>& findings);
void look_at_memory(const DoctorRoot& root, std::vector<Finding>& findings);  // doctor_memory.cpp
void look_at_clock(const DoctorRoot& root, std::vector<Finding>& findings);   // doctor_clock.cpp
// Kernel interfaces that are inputs: doctor_interfaces.cpp; who may read what: doctor_access.cpp.
void look_at_interfaces(const DoctorRoot& root, std::vector<Finding>& findings);
void look_at_access(const DoctorRoot& root, std::vector<Finding>& findings);
void look_at_nics(const DoctorRoot& root, std::vector<Finding>& findings);    // doctor_nic.cpp, when asked for

// All groups in the order they are printed; a new group is a file and a line in doctor.cpp.
std::span<const DoctorGroup> doctor_groups() noexcept;

std::string_view name_of(Finding::Level level) noexcept;  // "ok", "note", "warn", "fail"
// A small file of proc or sys as text without its line end; empty when it cannot be read.
std::string small_file(const std::string& path);
// The texts in double quotes behind `key =` at the start of a line of TOML.
std::vector<std::string> quoted_in(const std::string& text, const std::string& key);

}  // namespace seine::cli
