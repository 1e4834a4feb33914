// Dropping a Status does not build.
// must say: ignoring return(ed)? value|nodiscard
#include "dataplane/base/status.h"

seine::Status write_something();

bool caller() {
#ifdef SEINE_MUST_NOT_COMPILE
    write_something();
    return true;
#else
    return write_something().ok();
#endif
}
