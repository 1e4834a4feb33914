// Live connections by memory: of machines and of control groups made of files.
#include "control/service/live_flows.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace seine::service {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

TEST(LiveFlows, AreAnEighthOfTheMemoryWithinBounds) {
    EXPECT_EQ(live_flows_for(0), kLiveFlowsLeast);
    EXPECT_EQ(live_flows_for(2 * kGiB), 2 * kGiB / 8 / 256);
    EXPECT_EQ(live_flows_for(64 * kGiB), kLiveFlowsMost);
    EXPECT_EQ(live_flows_for(UINT64_MAX), kLiveFlowsMost);
}

class MemoryForUs : public testing::Test {
  protected:
    void put(const std::string& path, const std::string& text) {
        const std::string whole = root.file(path);
        std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
        std::ofstream(whole) << text;
    }
    test::TempFolder root{"memory"};
};

TEST_F(MemoryForUs, IsTheMachinesWithoutAGroup) {
    EXPECT_EQ(memory_for_us(root.path()), UINT64_MAX);
    put("proc/meminfo", "MemFree: 1 kB\nMemTotal:       8388608 kB\n");
    EXPECT_EQ(memory_for_us(root.path()), 8 * kGiB);
    put("proc/self/cgroup", "1:memory:/old\n0::/\n");
    EXPECT_EQ(memory_for_us(root.path()), 8 * kGiB);
}

TEST_F(MemoryForUs, IsTheLeastOfTheGroupsOnTheWayUp) {
    put("proc/meminfo", "MemTotal:       8388608 kB\n");
    put("proc/self/cgroup", "0::/system.slice/seine-control.service\n");
    put("sys/fs/cgroup/system.slice/seine-control.service/memory.max", "max\n");
    put("sys/fs/cgroup/system.slice/memory.max", "4294967296\n");
    EXPECT_EQ(memory_for_us(root.path()), 4 * kGiB);
    put("sys/fs/cgroup/system.slice/seine-control.service/memory.max", "2147483648\n");
    EXPECT_EQ(memory_for_us(root.path()), 2 * kGiB);
}

}  // namespace
}  // namespace seine::service
