// A point in time does not mix with numbers or with another point: spans are subtracted, not added up.
// must say: no match for
#include "dataplane/base/clock.h"

bool caller(seine::Nanos first, seine::Nanos last) {
#ifdef SEINE_MUST_NOT_COMPILE
    return first + last > 5;
#else
    return last - first > 5 * seine::kSecond;
#endif
}
