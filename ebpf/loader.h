// The XDP program of an interface: offered to DPDK's driver, looked at, counted, taken off.
//
// DPDK's af_xdp driver loads and attaches the program itself, from a file; this gives it the file. What
// stays here is everything around that: a foreign program is never touched, one of ours that a killed
// dataplane left behind is replaced, counters are read from the kernel by the program's id.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seine::ebpf {

// This folder includes nothing of ours: errors are texts, one line with the remedy, empty when all is well.

// A file in memory that holds the program; lives as long as this object. Its path is for this process.
class ProgramFile {
  public:
    ProgramFile();
    ProgramFile(const ProgramFile&) = delete;
    ProgramFile& operator=(const ProgramFile&) = delete;
    ~ProgramFile();
    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    [[nodiscard]] std::string path() const;

  private:
    int fd_;
    std::string error_;
};

enum class Attached : std::uint8_t { none, ours, foreign };
struct AttachedProgram {
    std::string error;  // no such interface, or the kernel does not tell (needs root, or CAP_NET_ADMIN and CAP_BPF)
    Attached whose = Attached::none;
    std::uint32_t id = 0;
    std::string name;
};
AttachedProgram attached_program(const std::string& interface);

// Takes off a program of ours, whoever attached it. The error is empty when there is none; a foreign one stays
// and is named.
[[nodiscard]] std::string take_off(const std::string& interface);

struct XdpCount {
    std::string_view name;
    std::string_view meaning;
    std::uint64_t value = 0;
};
// Sums over the processors; empty when no program of ours is attached or its maps cannot be read.
std::vector<XdpCount> counters(const std::string& interface);

}  // namespace seine::ebpf
