// The counting operator new, and a test that it counts.
#include "tests/support/counted_new.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

namespace {
std::size_t allocations = 0;
}

__attribute__((noinline)) void* operator new(std::size_t bytes) {
    ++allocations;
    void* at = std::malloc(bytes == 0 ? 1 : bytes);
    if (at == nullptr) throw std::bad_alloc();
    return at;
}
__attribute__((noinline)) void operator delete(void* at) noexcept { std::free(at); }
__attribute__((noinline)) void operator delete(void* at, std::size_t) noexcept { std::free(at); }

namespace seine::test {

std::size_t allocation_count() noexcept { return allocations; }

TEST(CountedNew, SeesAnAllocation) {
    const std::size_t before = allocation_count();
    ::operator delete(::operator new(1000));  // a call by name is never optimised away
    EXPECT_GT(allocation_count(), before);
}

}  // namespace seine::test
