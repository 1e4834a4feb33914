// Dropping a Parse does not build: every answer of a parser is looked at.
// must say: ignoring return value|nodiscard
#include "dataplane/base/status.h"

seine::Parse read_something();

void caller() {
#ifdef SEINE_MUST_NOT_COMPILE
    read_something();
#else
    if (read_something() != seine::Parse::ok) return;
#endif
}
