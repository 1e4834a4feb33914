// Dropping a Result does not build: what the outside world refused is told to somebody.
// must say: ignoring return(ed)? value|nodiscard
#include "dataplane/base/status.h"

seine::Result<int> open_something();

int caller() {
#ifdef SEINE_MUST_NOT_COMPILE
    open_something();
    return 0;
#else
    const auto opened = open_something();
    return opened ? opened.value() : 0;
#endif
}
