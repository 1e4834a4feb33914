// The EAL's arguments, the lcore plan and DPDK's refusals, without starting it a second time.
#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/runtime/dpdk_log.h"
#include "dataplane/runtime/eal.h"
#include "tests/unit/runtime/environment.h"

namespace seine::runtime {
namespace {

using Words = std::vector<std::string>;

Words plan_words(const EalPlan& plan, const std::vector<unsigned>& cpus, std::size_t huge) {
    auto planned = plan_arguments(plan, cpus, huge);
    EXPECT_TRUE(planned) << planned.error().message();
    return planned ? planned->values : Words{};
}
bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(EalArguments, SplitsAsAShellWould) {
    const auto split = split_arguments(R"(-l 0-1  --vdev "net_null0,size=64" 'a b'c \"x)");
    ASSERT_TRUE(split);
    EXPECT_EQ(*split, (Words{"-l", "0-1", "--vdev", "net_null0,size=64", "a bc", "\"x"}));
    EXPECT_EQ(*split_arguments("   "), Words{});
    EXPECT_EQ(*split_arguments("''"), Words{""});
}

TEST(EalArguments, RefusesAnOpenQuote) {
    const auto split = split_arguments("--vdev 'net");
    ASSERT_FALSE(split);
    EXPECT_EQ(split.error().code(), Code::usage);
}

TEST(EalArguments, UsesHugePagesWhenEnoughAreFree) {
    EalPlan plan;
    plan.memory_bytes = 64u << 20;
    auto planned = plan_arguments(plan, {0, 1}, 64u << 20);
    ASSERT_TRUE(planned);
    EXPECT_TRUE(has(planned->values, "--in-memory"));
    EXPECT_FALSE(has(planned->values, "--no-huge"));
    EXPECT_EQ(planned->notice, "");
}

TEST(EalArguments, FallsBackToOrdinaryPagesAndSaysHowToGetHugeOnes) {
    EalPlan plan;
    plan.memory_bytes = (64u << 20) + 1;
    auto planned = plan_arguments(plan, {0, 1}, 64u << 20);
    ASSERT_TRUE(planned);
    EXPECT_TRUE(has(planned->values, "--no-huge"));
    EXPECT_FALSE(has(planned->values, "--in-memory")) << "DPDK refuses the two together";
    EXPECT_TRUE(has(planned->values, "65"));
    EXPECT_NE(planned->notice.find("slower"), std::string::npos);
    EXPECT_NE(planned->notice.find("sysctl -w vm.nr_hugepages="), std::string::npos);
    EXPECT_EQ(planned->notice.find('\n'), std::string::npos);
}

TEST(EalArguments, PinsSlotsToProcessorsInTurnStartingWithTheSecond) {
    EalPlan plan;
    plan.slots = 3;
    EXPECT_TRUE(has(plan_words(plan, {0, 1}, 0), "0@(0,1),1@1,2@0,3@1"));
    EXPECT_TRUE(has(plan_words(plan, {4}, 0), "0@(4),1@4,2@4,3@4"));
    plan.slots = 1;
    EXPECT_TRUE(has(plan_words(plan, {2, 3, 5}, 0), "0@(2,3,5),1@3"));
}

TEST(EalArguments, WhatTheOperatorGivesReplacesTheSamePartOfThePlan) {
    EalPlan plan;
    plan.extra_args = "-l 0,1";
    EXPECT_FALSE(has(plan_words(plan, {0, 1}, 0), "--lcores"));
    plan.extra_args = "--lcores=0@0,1@1";
    EXPECT_FALSE(has(plan_words(plan, {0, 1}, 0), "--lcores"));
    plan.extra_args = "-m 300";
    Words words = plan_words(plan, {0, 1}, 0);
    EXPECT_EQ(std::count(words.begin(), words.end(), "-m"), 1);
    EXPECT_EQ(words.back(), "300");
    plan.extra_args = "--huge-dir /mnt/huge";
    words = plan_words(plan, {0, 1}, 0);
    EXPECT_FALSE(has(words, "--no-huge"));
    EXPECT_FALSE(has(words, "--in-memory"));
}

TEST(EalArguments, LooksForDevicesOnlyWhenAskedTo) {
    EalPlan plan;
    EXPECT_TRUE(has(plan_words(plan, {0}, 0), "--no-pci"));
    plan.extra_args = "-a 0000:03:00.0";
    EXPECT_FALSE(has(plan_words(plan, {0}, 0), "--no-pci"));
    plan.extra_args = "";
    plan.devices = true;
    EXPECT_FALSE(has(plan_words(plan, {0}, 0), "--no-pci"));
}

TEST(Eal, DoesNotStartTwiceInAProcess) {
    auto again = Eal::start(EalPlan{});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message(), "DPDK was started before in this process");
}

TEST(Eal, RunsABodyOnEverySlot) {
    Eal& eal = runtime_test::eal();
    ASSERT_GE(eal.slot_count(), 6u);
    std::vector<int> ran(eal.slot_count(), 0);
    for (unsigned slot = 0; slot < eal.slot_count(); ++slot) {
        const Status launched = eal.launch(
            slot,
            [](void* at) {
                *static_cast<int*>(at) = 1;
                return 0;
            },
            &ran[slot]);
        ASSERT_TRUE(launched.ok()) << launched.message();
    }
    eal.join();
    EXPECT_EQ(std::count(ran.begin(), ran.end(), 1), static_cast<long>(ran.size()));
    EXPECT_FALSE(eal.launch(eal.slot_count(), nullptr, nullptr).ok());
}

TEST(DpdkLog, TheLineThatSaysWhatWentWrongIsFoundAndCleaned) {
    EXPECT_EQ(error_line("EAL: Detected CPU lcores: 2\nEAL: core 9 unavailable\nEAL: invalid parameter "
                         "for --lcores\n\nUsage: ./t [options]\n"),
              "invalid parameter for --lcores");
    EXPECT_EQ(error_line("./t: unrecognized option '--bogus'\n"), "./t: unrecognized option '--bogus'");
    EXPECT_EQ(error_line("EAL: FATAL: Cannot get hugepage information.\n"),
              "Cannot get hugepage information");
    EXPECT_EQ(error_line("open_single_rx_pcap(): Couldn't open x: y\n"), "Couldn't open x: y");
    EXPECT_EQ(error_line("all is well\n"), "");
    EXPECT_EQ(error_line(""), "");
}

}  // namespace
}  // namespace seine::runtime
