#include "control/cli/nic.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace seine::cli {
namespace {

namespace fs = std::filesystem;

constexpr NicDriver kDrivers[] = {
    {"mlx5_core", "net_mlx5", true, "needs librte-net-mlx5 and rdma-core; nothing is bound"},
    {"mlx4_core", "net_mlx4", true, "needs rdma-core; nothing is bound"},
    {"mana", "net_mana", true, "needs rdma-core; nothing is bound"},
    {"ice", "net_ice", false, "Intel E810; wants its DDP package for tunnels"},
    {"i40e", "net_i40e", false, "Intel X710, XL710"},
    {"ixgbe", "net_ixgbe", false, "Intel 82599, X520, X540, X550"},
    {"igb", "net_e1000_igb", false, "Intel I350"},
    {"igc", "net_igc", false, "Intel I225"},
    {"e1000e", "net_e1000_em", false, "one queue: one worker"},
    {"iavf", "net_iavf", false, "virtual function of ice and i40e"},
    {"ixgbevf", "net_ixgbe_vf", false, "virtual function of ixgbe"},
    {"ena", "net_ena", false, "Amazon; without an IOMMU it wants noiommu mode"},
    {"virtio-pci", "net_virtio", false,
     "its RSS depends on the host; packets change hands where it has none"},
    {"virtio_net", "net_virtio", false,
     "its RSS depends on the host; packets change hands where it has none"},
    {"vmxnet3", "net_vmxnet3", false, "VMware"},
    {"gve", "net_gve", false, "Google"},
    {"bnxt_en", "net_bnxt", false, "Broadcom"},
};

std::string link_name(const std::string& path) {
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    return error ? std::string() : target.filename().string();
}

template <typename Number>
Number number_in(const std::string& path, Number otherwise) {
    const std::string text = small_file(path);
    Number value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool is_address(const std::string& name) {
    constexpr std::string_view kShape = "hhhh:hh:hh.h";
    if (name.size() != kShape.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool hex = std::isxdigit(static_cast<unsigned char>(name[i])) != 0;
        if (kShape[i] == 'h' ? !hex : name[i] != kShape[i]) return false;
    }
    return true;
}

std::string device(const DoctorRoot& root, const std::string& address) {
    return root.sys + "/bus/pci/devices/" + address;
}

Nic read_nic(const DoctorRoot& root, const std::string& address) {
    const std::string folder = device(root, address);
    Nic nic;
    nic.address = address;
    nic.driver = link_name(folder + "/driver");
    const auto bare = [](std::string id) { return id.starts_with("0x") ? id.substr(2) : id; };
    nic.vendor_device =
        bare(small_file(folder + "/vendor")) + ":" + bare(small_file(folder + "/device"));
    nic.has_iommu_group = !link_name(folder + "/iommu_group").empty();
    nic.node = number_in(folder + "/numa_node", -1);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder + "/net", error)) {
        nic.interface = entry.path().filename().string();
        const std::string net = entry.path().string();
        nic.up = (number_in(net + "/carrier", 0u) != 0 || small_file(net + "/operstate") == "up");
        nic.megabits = number_in(net + "/speed", 0u);
        std::error_code inner;
        for (const auto& queue : fs::directory_iterator(net + "/queues", inner))
            nic.queues += queue.path().filename().string().starts_with("rx-") ? 1 : 0;
        break;
    }
    return nic;
}

Result<Nic> one_nic(const DoctorRoot& root, const std::string& address) {
    if (!is_address(address))
        return Status(
            Code::usage,
            address +
                ": give a PCI address such as 0000:03:00.0; seinectl doctor --nic lists them");
    std::error_code error;
    if (!fs::exists(device(root, address), error))
        return Status(Code::not_found,
                      address + ": no such device; seinectl doctor --nic lists them");
    return read_nic(root, address);
}

}  // namespace

const NicDriver* nic_driver(std::string_view kernel_driver) noexcept {
    const auto* at =
        std::find_if(std::begin(kDrivers), std::end(kDrivers),
                     [&](const NicDriver& one) { return one.kernel == kernel_driver; });
    return at == std::end(kDrivers) ? nullptr : at;
}

std::vector<Nic> find_nics(const DoctorRoot& root) {
    constexpr std::string_view kNetworkClass = "0x02";
    std::vector<Nic> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root.sys + "/bus/pci/devices", error)) {
        const std::string address = entry.path().filename().string();
        if (is_address(address) &&
            small_file(entry.path().string() + "/class").starts_with(kNetworkClass))
            out.push_back(read_nic(root, address));
    }
    std::sort(out.begin(), out.end(),
              [](const Nic& a, const Nic& b) { return a.address < b.address; });
    return out;
}

std::vector<SysfsWrite> bind_steps(const DoctorRoot& root, const Nic& nic) {
    std::vector<SysfsWrite> steps;
    steps.push_back({device(root, nic.address) + "/driver_override", "vfio-pci"});
    if (!nic.driver.empty())
        steps.push_back({device(root, nic.address) + "/driver/unbind", nic.address});
    steps.push_back({root.sys + "/bus/pci/drivers_probe", nic.address});
    return steps;
}

std::vector<SysfsWrite> restore_steps(const DoctorRoot& root, const Nic& nic,
                                      const std::string& driver) {
    std::vector<SysfsWrite> steps;
    if (!nic.driver.empty())
        steps.push_back({device(root, nic.address) + "/driver/unbind", nic.address});
    steps.push_back({device(root, nic.address) + "/driver_override", "\n"});  // none
    steps.push_back({driver.empty() ? root.sys + "/bus/pci/drivers_probe"
                                    : root.sys + "/bus/pci/drivers/" + driver + "/bind",
                     nic.address});
    return steps;
}

Status write_steps(const std::vector<SysfsWrite>& steps) {
    for (const SysfsWrite& step : steps) {
        const int fd = open(step.path.c_str(), O_WRONLY | O_CLOEXEC);
        const ssize_t wrote = fd < 0 ? -1 : write(fd, step.text.data(), step.text.size());
        const int error = errno;
        if (fd >= 0) close(fd);
        if (wrote == static_cast<ssize_t>(step.text.size())) continue;
        return failed(step.path + ": the kernel refuses (" + std::strerror(error) + ")" +
                      (error == EACCES || error == EPERM ? "; run as root"
                       : error == ENOENT                 ? "; load its driver: modprobe vfio-pci"
                                                         : ""));
    }
    return {};
}

Result<std::string> bind_nic(const DoctorRoot& root, const std::string& address,
                             const std::string& state_folder, bool force) {
    auto nic = one_nic(root, address);
    if (!nic) return nic.error();
    if (nic->driver == "vfio-pci") return address + " is bound to vfio-pci already";
    const NicDriver* known = nic_driver(nic->driver);
    if (known != nullptr && known->stays)
        return Status(Code::usage, address + ": stays with " + nic->driver +
                                       "; use it as it is: --port " + address);
    if (known == nullptr && !force)
        return Status(
            Code::usage,
            address + ": DPDK is not known to drive what " +
                (nic->driver.empty() ? "no driver" : nic->driver) +
                " drives; --force binds it all the same, --af-packet works with any interface");
    if (nic->up && !force)
        return failed(
            address + ": its interface " + nic->interface +
            " is up and would vanish, with every connection over it; --force if that is meant");
    std::error_code error;
    if (!fs::exists(root.sys + "/bus/pci/drivers/vfio-pci", error))
        return failed("vfio-pci is not loaded; modprobe vfio-pci");
    fs::create_directories(state_folder, error);
    const std::string state = state_folder + "/" + address;
    const int fd = open(state.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool kept = fd >= 0 && write(fd, nic->driver.data(), nic->driver.size()) ==
                                     static_cast<ssize_t>(nic->driver.size());
    if (fd >= 0) close(fd);
    if (!kept) return failed(state + ": the way back cannot be remembered; is the disk full?");
    Status done = write_steps(bind_steps(root, *nic));
    if (done.ok() && read_nic(root, address).driver != "vfio-pci")
        done = failed(address + ": vfio-pci did not take it; see dmesg (an IOMMU is needed)");
    if (!done.ok()) {
        static_cast<void>(write_steps(restore_steps(root, read_nic(root, address), nic->driver)));
        static_cast<void>(unlink(state.c_str()));
        return failed(done.message() + "; it was given back to " +
                      (nic->driver.empty() ? "no driver" : nic->driver));
    }
    return address + ": from " + (nic->driver.empty() ? "no driver" : nic->driver) +
           " to vfio-pci; back with: seinectl doctor restore " + address;
}

Result<std::string> restore_nic(const DoctorRoot& root, const std::string& address,
                                const std::string& state_folder) {
    auto nic = one_nic(root, address);
    if (!nic) return nic.error();
    const std::string state = state_folder + "/" + address;
    const std::string driver = small_file(state);
    if (nic->driver != "vfio-pci")
        return failed(address + ": is not bound to vfio-pci (" +
                      (nic->driver.empty() ? "no driver" : nic->driver) + ")");
    const Status done = write_steps(restore_steps(root, *nic, driver));
    if (!done.ok()) return done;
    const std::string now = read_nic(root, address).driver;
    if (now.empty() || now == "vfio-pci")
        return failed(address + ": " + (driver.empty() ? "no driver" : driver) +
                      " did not take it; see dmesg");
    static_cast<void>(unlink(state.c_str()));
    return address + ": from vfio-pci back to " + now;
}

// Repeats every 16 bits, so that the two ends may change places (Woo and Park, 2012).
std::uint32_t rss_hash(const std::vector<std::uint8_t>& tuple) noexcept {
    constexpr std::uint16_t kKey = 0x6d5a;
    std::uint32_t window = std::uint32_t{kKey} << 16 | kKey;
    std::uint32_t hash = 0;
    std::size_t at = 32;  // bit of the key that comes in next
    for (const std::uint8_t byte : tuple) {
        for (int bit = 7; bit >= 0; --bit, ++at) {
            if ((byte >> bit & 1) != 0) hash ^= window;
            window = window << 1 | (kKey >> (15 - at % 16) & 1u);
        }
    }
    return hash;
}

}  // namespace seine::cli
