// Where the exporter's frames go: a file of JSON lines, a ring file, a test.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::exporting {

class FrameSink {
  public:
    virtual ~FrameSink() = default;
    // One whole frame (contract/frame.h), borrowed for the call, from worker `worker`. Never waits
    // for a reader and never fails: what could not be kept is counted and told by finish().
    virtual void take(ByteView frame, unsigned worker) = 0;
    // Called when a burst of frames is over: what is buffered goes out.
    virtual void flush() {}
    // The end: everything held back goes out. The first error met since the start, or ok.
    virtual Status finish() = 0;
};

}  // namespace seine::exporting
