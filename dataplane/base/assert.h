// Assertions for our own mistakes; bytes from the network never meet one.
#pragma once
#include <cstdio>
#include <cstdlib>

namespace seine {

// Prints where an assertion failed and stops the process. Never called for hostile input.
[[noreturn]] inline void assertion_failed(const char* what, const char* file, int line) noexcept {
    std::fprintf(stderr, "seine: %s:%d: this must hold: %s\n", file, line, what);
    std::abort();
}

}  // namespace seine

// SEINE_ASSERT: on in dev, tests, sanitizers and fuzzing; gone in release.
// SEINE_CHECK:  always on, for the cheap ones off the packet path.
#define SEINE_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::seine::assertion_failed(#condition, __FILE__, __LINE__))
#ifdef SEINE_ASSERTIONS
#define SEINE_ASSERT(condition) SEINE_CHECK(condition)
#else
#define SEINE_ASSERT(condition) static_cast<void>(0)
#endif
