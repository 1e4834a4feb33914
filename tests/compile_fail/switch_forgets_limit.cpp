// A switch over Parse that forgets an answer does not build.
// must say: enumeration value 'limit' not handled
#include "dataplane/base/status.h"

int caller(seine::Parse answer) {
    switch (answer) {
        case seine::Parse::ok: return 0;
        case seine::Parse::need_more: return 1;
        case seine::Parse::not_this: return 2;
        case seine::Parse::malformed: return 3;
#ifndef SEINE_MUST_NOT_COMPILE
        case seine::Parse::limit: return 4;
#endif
    }
    return 5;
}
