// Keeping a result's value by reference after the result is gone does not build.
// must say: cannot bind|deleted|no matching|invalid initialization
#include "dataplane/base/status.h"

seine::Result<int> open_something();

int caller() {
#ifdef SEINE_MUST_NOT_COMPILE
    int& kept = open_something().value();
    return kept;
#else
    auto opened = open_something();
    return opened ? opened.value() : 0;
#endif
}
