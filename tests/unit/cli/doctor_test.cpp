// What doctor says of machines that are made up: interfaces, clocks, access and memory.
#include "control/cli/doctor.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace seine::cli {
namespace {

class Machine : public testing::Test {
  protected:
    Machine() {
        at = {root_.file("proc"), root_.file("sys"), root_.file("etc"), root_.file("state"), root_.file("run")};
    }
    void write(const std::string& path, const std::string& text, unsigned mode = 0644) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << text;
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }
    void folder(const std::string& path, unsigned mode) {
        std::filesystem::create_directories(path);
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }
    // The finding with these words; of none, one without a group.
    static Finding with(const std::vector<Finding>& findings, const std::string& words) {
        for (const Finding& one : findings) {
            if (one.text.find(words) != std::string::npos) return one;
        }
        return {};
    }
    std::vector<Finding> looked(DoctorGroup group) const {
        std::vector<Finding> findings;
        group(at, findings);
        return findings;
    }
    DoctorRoot at;

  private:
    test::TempFolder root_{"doctor"};
};

TEST_F(Machine, EveryGroupSaysSomethingOfThisOneAndEveryComplaintHasARemedy) {
    for (const DoctorGroup group : doctor_groups()) {
        std::vector<Finding> findings;
        group({}, findings);
        for (const Finding& one : findings) {
            EXPECT_FALSE(one.text.empty());
            const bool complains =
                one.level == Finding::Level::warn || one.level == Finding::Level::fail;
            EXPECT_TRUE(!complains || !one.remedy.empty()) << one.text;
        }
    }
}

TEST_F(Machine, AnInterfaceThatIsMissingDownOrLosesIsNamed) {
    write(at.etc + "/seine/seine-dataplane.toml",
          "# af-packet = [\"commented0\"]\naf-packet = [\"mirror0\", \"gone0\"]\nworkers = 4\n");
    write(at.sys + "/class/net/mirror0/operstate", "down\n");
    folder(at.sys + "/class/net/mirror0/queues/rx-0", 0755);
    folder(at.sys + "/class/net/mirror0/queues/rx-1", 0755);
    folder(at.sys + "/class/net/mirror0/queues/tx-0", 0755);
    write(at.sys + "/class/net/mirror0/statistics/rx_missed_errors", "12\n");
    const auto findings = looked(look_at_interfaces);
    EXPECT_EQ(with(findings, "no interface gone0").level, Finding::Level::fail);
    EXPECT_EQ(with(findings, "mirror0 is down").level, Finding::Level::fail);
    EXPECT_NE(with(findings, "2 receive queues for 4 workers").remedy.find("ethtool -L mirror0"),
              std::string::npos);
    EXPECT_EQ(with(findings, "lost 12 packets").level, Finding::Level::warn);
    EXPECT_TRUE(with(findings, "commented0").text.empty());
}

TEST_F(Machine, WithoutAnInputNoInterfaceIsLookedAt) {
    EXPECT_EQ(with(looked(look_at_interfaces), "none was looked at").level, Finding::Level::note);
}

TEST_F(Machine, OpenSecretsAndStateAreFailures) {
    folder(at.etc + "/seine/secrets", 0755);
    write(at.etc + "/seine/secrets/token", "t", 0644);
    write(at.etc + "/seine/secrets/sensor.key", "k", 0600);
    write(at.etc + "/seine/secrets/ca.pem", "c", 0644);
    write(at.etc + "/seine/tag.keys", "k", 0600);
    folder(at.state, 0750);
    write(at.run + "/flows.ring", "r", 0644);
    const auto findings = looked(look_at_access);
    EXPECT_EQ(with(findings, "/secrets is 0755").remedy, "chmod 0700 " + at.etc + "/seine/secrets");
    EXPECT_EQ(with(findings, "/secrets/token is 0644").level, Finding::Level::fail);
    EXPECT_EQ(with(findings, "/secrets/sensor.key is 0600").level, Finding::Level::ok);
    EXPECT_TRUE(with(findings, "ca.pem").text.empty());
    EXPECT_EQ(with(findings, "tag.keys is 0600").level, Finding::Level::ok);
    EXPECT_EQ(with(findings, "/state is 0750").level, Finding::Level::fail);
    EXPECT_EQ(with(findings, "flows.ring is open to everybody").level, Finding::Level::fail);
    EXPECT_EQ(with(findings, "not of a group").level, Finding::Level::warn);
}

TEST_F(Machine, TheKeeperOfTheClockIsNamed) {
    write(at.proc + "/77/comm", "chronyd\n");
    bool named = false;
    for (const Finding& one : looked(look_at_clock))
        named = named || (one.group == "clock" && one.text.find("chronyd") != std::string::npos);
    EXPECT_TRUE(named);
}

TEST(Quoted, TakesTextsOfOneKeyAlone) {
    EXPECT_EQ(quoted_in("a = [\"x\", \"y\"]\nab = [\"z\"]\n", "a"),
              (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(quoted_in("a=\"x", "a"), std::vector<std::string>{});
    EXPECT_EQ(quoted_in("", "a"), std::vector<std::string>{});
}

}  // namespace
}  // namespace seine::cli
