// The XDP side of --af-xdp: the program, left-overs of a killed run, counters.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/runtime/stats.h"

namespace seine::app {

class XdpInputs {
  public:
    // Takes off what a killed dataplane left on these interfaces and makes the program's file. Failed: a
    // foreign program is attached, or this build has no eBPF.
    static Result<std::unique_ptr<XdpInputs>> prepare(const std::vector<std::string>& interfaces);
    // Takes our program off again.
    ~XdpInputs();
    XdpInputs(const XdpInputs&) = delete;
    XdpInputs& operator=(const XdpInputs&) = delete;

    // For DPDK's driver.
    [[nodiscard]] std::string program_path() const;
    // What the program counted, interfaces summed, as far as the kernel lets this user read it.
    [[nodiscard]] std::vector<runtime::NamedCount> counters() const;
    [[nodiscard]] const std::vector<std::string>& notices() const noexcept { return notices_; }

  private:
    struct File;
    XdpInputs(std::vector<std::string> interfaces, std::unique_ptr<File> file);
    std::vector<std::string> interfaces_;
    std::vector<std::string> notices_;
    std::unique_ptr<File> file_;
};

}  // namespace seine::app
