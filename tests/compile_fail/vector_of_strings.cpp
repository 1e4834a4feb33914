// A bounded vector of things that own memory does not build: nothing on the packet path allocates.
// must say: static assertion failed
#include <string>

#include "dataplane/base/fixed_vector.h"

std::size_t caller() {
#ifdef SEINE_MUST_NOT_COMPILE
    seine::FixedVector<std::string, 4> items;
#else
    seine::FixedVector<std::size_t, 4> items;
#endif
    return items.size();
}
