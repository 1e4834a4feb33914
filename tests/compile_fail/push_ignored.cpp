// A push into a bounded vector that nobody asks about does not build: a full list is no success.
// must say: ignoring return value|nodiscard
#include "dataplane/base/fixed_vector.h"

int caller() {
    seine::FixedVector<int, 4> items;
#ifdef SEINE_MUST_NOT_COMPILE
    items.push(1);
    return 0;
#else
    return items.push(1) ? 0 : 1;
#endif
}
