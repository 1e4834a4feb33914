// Counts heap allocations of the test program, so that a test can say there was none.
#pragma once
#include <cstddef>

namespace seine::test {

// Calls of operator new since the program began.
[[nodiscard]] std::size_t allocation_count() noexcept;

}  // namespace seine::test
