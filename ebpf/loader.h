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

#include "dataplane/base/status.h"

namespace seine::ebpf {

// A file in memory that holds the program; lives as long as this object. Its path is for this process.
class ProgramFile {
  public:
    static Result<ProgramFile> make();
    ProgramFile(ProgramFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    ProgramFile& operator=(ProgramFile&&) = delete;
    ~ProgramFile();
    [[nodiscard]] std::string path() const;

  private:
    explicit ProgramFile(int fd) noexcept : fd_(fd) {}
    int fd_;
};

enum class Attached : std::uint8_t { none, ours, foreign };
struct AttachedProgram {
    Attached whose = Attached::none;
    std::uint32_t id = 0;
    std::string name;
};
// failed: no such interface, or the kernel does not tell (needs CAP_NET_ADMIN and CAP_BPF or root).
Result<AttachedProgram> attached_program(const std::string& interface);

// Takes off a program of ours, whoever attached it. ok when there is none; failed for a foreign one.
Status take_off(const std::string& interface);

struct XdpCount {
    std::string_view name;
    std::string_view meaning;
    std::uint64_t value = 0;
};
// Sums over the processors; empty when no program of ours is attached or its maps cannot be read.
std::vector<XdpCount> counters(const std::string& interface);

}  // namespace seine::ebpf
