// Network cards as sysfs shows them, and the steps that give one to vfio-pci and back.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/doctor.h"
#include "dataplane/base/status.h"

namespace seine::cli {

// How DPDK drives a card of a kernel driver.
struct NicDriver {
    std::string_view kernel;
    std::string_view dpdk;
    bool stays = false;  // works beside its kernel driver, nothing is bound
    std::string_view note;
};
// Null: not known to work.
const NicDriver* nic_driver(std::string_view kernel_driver) noexcept;

struct Nic {
    std::string address;        // 0000:03:00.0
    std::string driver;         // as bound now; empty: none
    std::string interface;      // of the kernel; empty: none
    std::string vendor_device;  // 8086:1592
    bool up = false;
    bool has_iommu_group = false;
    int node = -1;        // NUMA
    unsigned queues = 0;  // receive queues of the interface
    unsigned megabits = 0;
};
std::vector<Nic> find_nics(const DoctorRoot& root);

// Text to be written into files of sysfs, in order.
struct SysfsWrite {
    std::string path;
    std::string text;
};
std::vector<SysfsWrite> bind_steps(const DoctorRoot& root, const Nic& nic);
std::vector<SysfsWrite> restore_steps(const DoctorRoot& root, const Nic& nic,
                                      const std::string& driver);
// failed: names the file and what to do; what came before stays written.
Status write_steps(const std::vector<SysfsWrite>& steps);

// Gives the card to vfio-pci and remembers its driver in `state_folder`; undoes it when it does not
// work. usage: a card that stays with its kernel driver, one without a known driver. failed: an
// interface that is up, without `force`; the kernel refuses.
Result<std::string> bind_nic(const DoctorRoot& root, const std::string& address,
                             const std::string& state_folder, bool force);
// Back to the driver that it had.
Result<std::string> restore_nic(const DoctorRoot& root, const std::string& address,
                                const std::string& state_folder);

// The Toeplitz hash of cards, with the key that seine-dataplane gives them.
std::uint32_t rss_hash(const std::vector<std::uint8_t>& tuple) noexcept;

}  // namespace seine::cli
