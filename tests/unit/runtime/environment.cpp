#include "tests/unit/runtime/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

namespace seine::runtime_test {
namespace {

std::unique_ptr<runtime::Eal> started;
std::string scratch;

class Dpdk final : public ::testing::Environment {
  public:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "seine-runtime-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        scratch = name;
        runtime::EalPlan plan;
        plan.program = "test_runtime";
        plan.slots = 6;
        plan.memory_bytes = std::size_t{160} << 20;
        plan.huge_pages = false;
        auto eal = runtime::Eal::start(plan);
        ASSERT_TRUE(eal) << eal.error().message();
        started = std::make_unique<runtime::Eal>(std::move(*eal));
    }
    void TearDown() override {
        started.reset();
        std::filesystem::remove_all(scratch);
    }
};

[[maybe_unused]] const auto* const registered = ::testing::AddGlobalTestEnvironment(new Dpdk);

}  // namespace

runtime::Eal& eal() { return *started; }
const std::string& folder() { return scratch; }

}  // namespace seine::runtime_test
