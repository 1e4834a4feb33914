// Ports of virtual drivers: opened, counted, closed, and refused in one line.
#include "dataplane/runtime/port.h"

#include <gtest/gtest.h>

#include "tests/unit/runtime/environment.h"

namespace seine::runtime {
namespace {

std::unique_ptr<Pool> small_pool() {
    PoolConfig config;
    config.name = "port-test";
    config.packets = 511;
    auto pool = Pool::make(config);
    EXPECT_TRUE(pool) << pool.error().message();
    return pool ? std::move(*pool) : nullptr;
}

TEST(Port, OpensAVirtualDeviceAndGivesItBack) {
    static_cast<void>(runtime_test::eal());
    const auto pool = small_pool();
    for (int i = 0; i < 3; ++i) {
        PortConfig config;
        config.label = "null";
        config.device = "net_null7";
        auto port = Port::open(config, *pool);
        ASSERT_TRUE(port) << port.error().message();
        EXPECT_EQ((*port)->label(), "null");
        EXPECT_EQ((*port)->queues(), 1);
        EXPECT_EQ((*port)->counters().imissed, 0u);
    }
}

TEST(Port, NamesTheInputAndTheRemedyWhenRefused) {
    const auto pool = small_pool();
    PortConfig config;
    config.label = "0000:99:00.0";
    config.device = "0000:99:00.0";
    config.hardware = true;
    auto port = Port::open(config, *pool);
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().message().find("0000:99:00.0: no DPDK port"), 0u) << port.error().message();
    EXPECT_NE(port.error().message().find("dpdk-devbind"), std::string::npos);

    config.hardware = false;
    config.device = "net_nosuchdriver0";
    port = Port::open(config, *pool);
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().message().find('\n'), std::string::npos);
}

TEST(Port, RefusesMoreQueuesThanTheDeviceHas) {
    const auto pool = small_pool();
    PortConfig config;
    config.label = "null";
    config.device = "net_null8";
    config.queues = 5000;
    auto port = Port::open(config, *pool);
    ASSERT_FALSE(port);
    EXPECT_NE(port.error().message().find("lower --workers"), std::string::npos)
        << port.error().message();
    config.queues = 1;
    EXPECT_TRUE(Port::open(config, *pool)) << "the refused device was given back";
}

TEST(Pool, SaysHowMuchMemoryIsMissing) {
    PoolConfig config;
    config.name = "too-large";
    config.packets = 4'000'000;
    auto pool = Pool::make(config);
    ASSERT_FALSE(pool);
    EXPECT_NE(pool.error().message().find("MiB"), std::string::npos) << pool.error().message();
}

TEST(Pool, EstimateCoversWhatItTakes) {
    PoolConfig config;
    EXPECT_GT(Pool::bytes(config), std::size_t{config.packets} * (config.data_bytes + 128u + 128u));
}

}  // namespace
}  // namespace seine::runtime
