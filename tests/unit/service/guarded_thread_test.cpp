// A thread that dies takes the process with it, and says so.
#include "control/service/guarded_thread.h"

#include <new>
#include <stdexcept>

#include <gtest/gtest.h>

#include "control/service/log.h"

namespace seine::service {
namespace {

void run_and_wait(void (*work)()) {
    static_cast<void>(open_log("", "info"));
    guarded_thread("adds up", work).join();
    std::_Exit(0);
}

TEST(GuardedThread, EndsTheProcessWhenItDies) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(run_and_wait([] { throw std::bad_alloc(); }), testing::ExitedWithCode(1), "the thread that adds up failed");
    EXPECT_EXIT(run_and_wait([] { throw 7; }), testing::ExitedWithCode(1), "the thread that adds up failed");
    EXPECT_EXIT(run_and_wait([] {}), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace seine::service
