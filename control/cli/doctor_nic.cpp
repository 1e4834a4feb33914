// Network cards: who drives them and how DPDK gets them, IOMMU, lasting hugepages, a plan of queues
// and cores, offloads that spoil a tap, and the symmetry of the RSS key.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/cli/doctor.h"
#include "control/cli/nic.h"

namespace seine::cli {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

void put(std::vector<Finding>& findings, Level level, std::string text, std::string remedy = "") {
    findings.push_back({"nic", level, std::move(text), std::move(remedy)});
}

void look_at_card(const Nic& nic, std::vector<Finding>& findings) {
    const std::string name = nic.address + " (" + nic.vendor_device +
                             (nic.interface.empty() ? "" : ", " + nic.interface) + ")";
    if (nic.driver == "vfio-pci")
        return put(findings, Level::ok,
                   name + ": bound to vfio-pci, ready for --port " + nic.address, "");
    const NicDriver* known = nic_driver(nic.driver);
    if (known == nullptr)
        return put(findings, Level::note,
                   name + ": driven by " + (nic.driver.empty() ? "nothing" : nic.driver) +
                       ", which DPDK is not known to take over",
                   nic.interface.empty() ? "" : "seine-dataplane --af-packet " + nic.interface);
    const std::string how = ": " + nic.driver + ", for DPDK " + std::string(known->dpdk) + "; " +
                            std::string(known->note);
    if (known->stays)
        return put(findings, Level::ok, name + how, "seine-dataplane --port " + nic.address);
    put(findings, Level::note,
        name + how + (nic.up ? "; its interface is up and would vanish" : ""),
        "seinectl doctor bind " + nic.address + (nic.up ? " --force" : ""));
}

void look_at_iommu(const DoctorRoot& root, std::vector<Finding>& findings) {
    std::error_code error;
    const bool any = fs::exists(root.sys + "/class/iommu", error) &&
                     !fs::is_empty(root.sys + "/class/iommu", error);
    if (any) {
        put(findings, Level::ok,
            "an IOMMU is on: a card reaches the memory it was given and no other");
    } else if (small_file(root.sys + "/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y") {
        put(findings, Level::warn,
            "no IOMMU, and vfio runs in its unsafe mode: a card reaches all memory",
            "switch the IOMMU on in firmware and kernel");
    } else {
        put(findings, Level::warn, "no IOMMU: vfio-pci takes no card",
            "add intel_iommu=on or amd_iommu=on iommu=pt to the kernel's command line; in a "
            "virtual machine: "
            "echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
    }
    if (!fs::exists(root.sys + "/bus/pci/drivers/vfio-pci", error))
        put(findings, Level::note, "vfio-pci is not loaded",
            "modprobe vfio-pci, and the word vfio-pci in /etc/modules-load.d/seine.conf");
}

bool names_hugepages(const std::string& path) {
    const std::string text = small_file(path);
    return text.find("nr_hugepages") != std::string::npos ||
           text.find("hugepages=") != std::string::npos;
}

void look_at_lasting_pages(const DoctorRoot& root, std::vector<Finding>& findings) {
    bool lasting =
        names_hugepages(root.proc + "/cmdline") || names_hugepages(root.etc + "/sysctl.conf");
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root.etc + "/sysctl.d", error))
        lasting |= names_hugepages(entry.path().string());
    if (lasting) return put(findings, Level::ok, "hugepages are asked for at every boot");
    put(findings, Level::warn,
        "hugepages are not asked for at boot: after the next one there may be none",
        "echo vm.nr_hugepages=512 > /etc/sysctl.d/60-seine.conf");
}

// Workers belong on the node of their card, and not on its first processor, where the kernel is
// busy.
void plan_cores(const DoctorRoot& root, const Nic& nic, std::vector<Finding>& findings) {
    const int node = std::max(nic.node, 0);
    const std::string cpus =
        small_file(root.sys + "/devices/system/node/node" + std::to_string(node) + "/cpulist");
    if (cpus.empty()) return;
    std::string text = nic.address + ": node " + std::to_string(node) + ", processors " + cpus;
    if (nic.queues > 0)
        text += "; " + std::to_string(nic.queues) + " receive queues, so at most as many --workers";
    if (nic.megabits > 0) text += "; " + std::to_string(nic.megabits) + " Mb/s";
    put(findings, Level::ok, std::move(text),
        "pin with: --eal \"--lcores 0@FIRST,1@SECOND,..\" on these processors");
}

void look_at_rss(std::vector<Finding>& findings) {
    constexpr unsigned kTuples = 1000;
    std::uint32_t state = 12345;
    const auto next = [&state] {
        return static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    };
    unsigned differ = 0;
    unsigned buckets[128] = {};
    for (unsigned i = 0; i < kTuples; ++i) {
        const std::size_t address_bytes = i % 2 == 0 ? 4 : 16;
        std::vector<std::uint8_t> there(2 * address_bytes + 4);
        for (std::uint8_t& byte : there) byte = next();
        std::vector<std::uint8_t> back(there.size());
        const auto end = [&](std::size_t at) {
            return there.begin() + static_cast<std::ptrdiff_t>(at);
        };
        std::copy(end(address_bytes), end(2 * address_bytes), back.begin());
        std::copy(there.begin(), end(address_bytes),
                  back.begin() + static_cast<std::ptrdiff_t>(address_bytes));
        std::copy(end(2 * address_bytes + 2), there.end(),
                  back.begin() + static_cast<std::ptrdiff_t>(2 * address_bytes));
        std::copy(end(2 * address_bytes), end(2 * address_bytes + 2),
                  back.begin() + static_cast<std::ptrdiff_t>(2 * address_bytes + 2));
        differ += rss_hash(there) != rss_hash(back) ? 1 : 0;
        ++buckets[rss_hash(there) % 128];
    }
    const unsigned used = static_cast<unsigned>(std::count_if(
        std::begin(buckets), std::end(buckets), [](unsigned count) { return count > 0; }));
    if (differ == 0 && used > 100)
        return put(findings, Level::ok,
                   "the RSS key is symmetric: both directions of 1000 flows hash alike, into " +
                       std::to_string(used) + " of 128 entries");
    put(findings, Level::fail,
        "the RSS key is not symmetric: " + std::to_string(differ) + " of 1000 flows",
        "report this, it is a mistake of ours");
}

bool feature_on(int socket, const std::string& interface, std::uint32_t command) {
    ethtool_value value{};
    value.cmd = command;
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(static_cast<void*>(&value));
    if (ioctl(socket, SIOCETHTOOL, &request) != 0) return false;
    return command == ETHTOOL_GFLAGS ? (value.data & ETH_FLAG_LRO) != 0 : value.data != 0;
}

// What merges packets before a tap sees them; of a veth also checksums that are never computed.
void look_at_offloads(const DoctorRoot& root, std::vector<Finding>& findings) {
    constexpr struct {
        std::uint32_t command;
        const char* name;
        bool veth_only;
    } kFeatures[] = {{ETHTOOL_GTSO, "tso", false},
                     {ETHTOOL_GGSO, "gso", false},
                     {ETHTOOL_GGRO, "gro", false},
                     {ETHTOOL_GFLAGS, "lro", false},
                     {ETHTOOL_GTXCSUM, "tx", true}};
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root.sys + "/class/net", error)) {
        const std::string name = entry.path().filename().string();
        if (name == "lo") continue;
        const bool veth = small_file(entry.path().string() + "/uevent").find("DEVTYPE=veth") !=
                              std::string::npos ||
                          (!fs::exists(entry.path() / "device", error) &&
                           small_file(entry.path().string() + "/iflink") !=
                               small_file(entry.path().string() + "/ifindex"));
        std::string on;
        std::string off;
        for (const auto& feature : kFeatures) {
            if ((feature.veth_only && !veth) || !feature_on(socket, name, feature.command))
                continue;
            on += std::string(on.empty() ? "" : ", ") + feature.name;
            off += std::string(" ") + feature.name + " off";
        }
        if (on.empty()) continue;
        put(findings, Level::note,
            name + ": " + on + " on: a tap there sees merged packets" +
                (veth ? " and sums that nobody computed" : ""),
            "ethtool -K " + name + off);
    }
    close(socket);
}

}  // namespace

void look_at_nics(const DoctorRoot& root, std::vector<Finding>& findings) {
    const std::vector<Nic> nics = find_nics(root);
    if (nics.empty())
        put(findings, Level::note,
            "no network card on a PCI bus: --af-packet and --af-xdp work with the kernel's "
            "interfaces");
    for (const Nic& nic : nics) look_at_card(nic, findings);
    for (const Nic& nic : nics) plan_cores(root, nic, findings);
    if (!nics.empty()) look_at_iommu(root, findings);
    look_at_lasting_pages(root, findings);
    look_at_rss(findings);
    look_at_offloads(root, findings);
}

}  // namespace seine::cli
