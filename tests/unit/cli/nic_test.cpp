// Network cards in a made-up sysfs: what is said of them, and what is written to bind one and to
// give it back.
#include "control/cli/nic.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace seine::cli {
namespace {

namespace fs = std::filesystem;

class Nics : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("seine-nic-" + std::to_string(getpid()));
        fs::remove_all(folder_);
        root_.proc = (folder_ / "proc").string();
        root_.sys = (folder_ / "sys").string();
        root_.etc = (folder_ / "etc").string();
        fs::create_directories(root_.etc + "/sysctl.d");
        fs::create_directories(root_.proc);
        fs::create_directories(root_.sys + "/bus/pci/drivers/vfio-pci");
        write(root_.sys + "/bus/pci/drivers_probe", "");
        write(root_.sys + "/devices/system/node/node1/cpulist", "8-15\n");
    }
    void TearDown() override { fs::remove_all(folder_); }

    static void write(const std::string& path, const std::string& text) {
        fs::create_directories(fs::path(path).parent_path());
        std::ofstream(path) << text;
    }
    static std::string read(const std::string& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void card(const std::string& address, const std::string& driver, const std::string& interface,
              bool up) {
        const std::string device = root_.sys + "/bus/pci/devices/" + address;
        write(device + "/class", "0x020000\n");
        write(device + "/vendor", "0x8086\n");
        write(device + "/device", "0x1592\n");
        write(device + "/numa_node", "1\n");
        write(device + "/driver_override", "");
        if (!driver.empty()) {
            const std::string drivers = root_.sys + "/bus/pci/drivers/" + driver;
            write(drivers + "/unbind", "");
            write(drivers + "/bind", "");
            fs::create_directory_symlink(drivers, device + "/driver");
        }
        if (interface.empty()) return;
        write(device + "/net/" + interface + "/operstate", up ? "up\n" : "down\n");
        write(device + "/net/" + interface + "/speed", "100000\n");
        for (int queue = 0; queue < 16; ++queue)
            fs::create_directories(device + "/net/" + interface + "/queues/rx-" +
                                   std::to_string(queue));
    }
    std::string all_findings() {
        std::vector<Finding> findings;
        look_at_nics(root_, findings);
        std::string out;
        for (const Finding& at : findings)
            out += std::string(name_of(at.level)) + " " + at.text + " -> " + at.remedy + "\n";
        return out;
    }

    fs::path folder_;
    DoctorRoot root_;
};

TEST_F(Nics, AreFoundWithTheirFacts) {
    card("0000:03:00.0", "ice", "ens3f0", true);
    card("0000:81:00.1", "mlx5_core", "ens8", false);
    write(root_.sys + "/bus/pci/devices/0000:00:1f.0/class", "0x060100\n");
    const auto nics = find_nics(root_);
    ASSERT_EQ(nics.size(), 2u);
    EXPECT_EQ(nics[0].address, "0000:03:00.0");
    EXPECT_EQ(nics[0].driver, "ice");
    EXPECT_EQ(nics[0].interface, "ens3f0");
    EXPECT_EQ(nics[0].vendor_device, "8086:1592");
    EXPECT_TRUE(nics[0].up);
    EXPECT_EQ(nics[0].node, 1);
    EXPECT_EQ(nics[0].queues, 16u);
    EXPECT_EQ(nics[0].megabits, 100000u);
    EXPECT_FALSE(nics[1].up);
}

TEST_F(Nics, TheDoctorSaysWhatToDoWithEach) {
    card("0000:03:00.0", "ice", "ens3f0", true);
    card("0000:81:00.1", "mlx5_core", "ens8", false);
    card("0000:82:00.0", "tg3", "eno1", true);
    card("0000:83:00.0", "vfio-pci", "", false);
    const std::string said = all_findings();
    EXPECT_NE(said.find("note 0000:03:00.0 (8086:1592, ens3f0): ice, for DPDK net_ice"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("-> seinectl doctor bind 0000:03:00.0 --force"), std::string::npos) << said;
    EXPECT_NE(said.find("ok 0000:81:00.1 (8086:1592, ens8): mlx5_core, for DPDK net_mlx5"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("-> seine-dataplane --af-packet eno1"), std::string::npos) << said;
    EXPECT_NE(said.find("ok 0000:83:00.0 (8086:1592): bound to vfio-pci"), std::string::npos)
        << said;
    EXPECT_NE(said.find("node 1, processors 8-15; 16 receive queues"), std::string::npos) << said;
    EXPECT_NE(said.find("warn no IOMMU"), std::string::npos) << said;
    EXPECT_NE(said.find("warn hugepages are not asked for at boot"), std::string::npos) << said;
    EXPECT_NE(said.find("ok the RSS key is symmetric"), std::string::npos) << said;
    fs::create_directories(root_.sys + "/class/iommu/dmar0");
    write(root_.etc + "/sysctl.d/60-seine.conf", "vm.nr_hugepages=512\n");
    const std::string better = all_findings();
    EXPECT_NE(better.find("ok an IOMMU is on"), std::string::npos) << better;
    EXPECT_NE(better.find("ok hugepages are asked for"), std::string::npos) << better;
}

TEST_F(Nics, BindingWritesWhatTheKernelWantsInOrder) {
    card("0000:03:00.0", "ice", "ens3f0", false);
    const auto nic = find_nics(root_).front();
    const auto steps = bind_steps(root_, nic);
    const std::string device = root_.sys + "/bus/pci/devices/0000:03:00.0";
    ASSERT_EQ(steps.size(), 3u);
    EXPECT_EQ(steps[0].path, device + "/driver_override");
    EXPECT_EQ(steps[0].text, "vfio-pci");
    EXPECT_EQ(steps[1].path, device + "/driver/unbind");
    EXPECT_EQ(steps[1].text, "0000:03:00.0");
    EXPECT_EQ(steps[2].path, root_.sys + "/bus/pci/drivers_probe");
    ASSERT_TRUE(write_steps(steps).ok());
    EXPECT_EQ(read(root_.sys + "/bus/pci/drivers/ice/unbind"), "0000:03:00.0");
    const auto back = restore_steps(root_, nic, "ice");
    EXPECT_EQ(back.back().path, root_.sys + "/bus/pci/drivers/ice/bind");
    const Status missing = write_steps({{device + "/nothing", "x"}});
    EXPECT_FALSE(missing.ok());
    EXPECT_NE(missing.message().find("/nothing"), std::string::npos);
}

// The made-up kernel moves no driver, so a bind that it accepts is seen not to have worked, and is
// taken back.
TEST_F(Nics, ABindThatDoesNotWorkIsTakenBack) {
    card("0000:03:00.0", "ice", "ens3f0", false);
    const auto done = bind_nic(root_, "0000:03:00.0", (folder_ / "state").string(), false);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message().find("given back to ice"), std::string::npos)
        << done.error().message();
    EXPECT_EQ(read(root_.sys + "/bus/pci/drivers/ice/bind"), "0000:03:00.0");
    EXPECT_FALSE(fs::exists(folder_ / "state" / "0000:03:00.0"));
}

TEST_F(Nics, RefusesWhatWouldCutTheOperatorOff) {
    card("0000:03:00.0", "ice", "ens3f0", true);
    card("0000:81:00.1", "mlx5_core", "ens8", false);
    card("0000:82:00.0", "tg3", "eno1", false);
    const std::string state = (folder_ / "state").string();
    const auto refused = [&](const std::string& address) {
        return bind_nic(root_, address, state, false).error().message();
    };
    EXPECT_NE(refused("0000:03:00.0").find("is up and would vanish"), std::string::npos);
    EXPECT_NE(refused("0000:81:00.1").find("--port 0000:81:00.1"), std::string::npos);
    EXPECT_NE(refused("0000:82:00.0").find("--force"), std::string::npos);
    EXPECT_NE(refused("0000:99:00.0").find("no such device"), std::string::npos);
    EXPECT_NE(refused("../../etc").find("PCI address"), std::string::npos);
    EXPECT_FALSE(restore_nic(root_, "0000:03:00.0", state));
    EXPECT_EQ(read(root_.sys + "/bus/pci/drivers/ice/unbind"), "") << "nothing was touched";
}

// The values of Microsoft's verification suite use another key; ours is checked by what it is for.
TEST(RssHash, IsTheSameBothWaysAndDependsOnEveryByte) {
    const std::vector<std::uint8_t> there = {10, 0, 0, 1, 192, 0, 2, 7, 0x9c, 0x40, 0x01, 0xbb};
    const std::vector<std::uint8_t> back = {192, 0, 2, 7, 10, 0, 0, 1, 0x01, 0xbb, 0x9c, 0x40};
    EXPECT_EQ(rss_hash(there), rss_hash(back));
    for (std::size_t i = 0; i < there.size(); ++i) {
        auto other = there;
        other[i] ^= 1;
        EXPECT_NE(rss_hash(other), rss_hash(there)) << i;
    }
    EXPECT_EQ(rss_hash({0x80}), 0x6d5a6d5au) << "the first bit takes the first 32 bits of the key";
}

}  // namespace
}  // namespace seine::cli
