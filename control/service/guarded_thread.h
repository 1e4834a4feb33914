// A thread that the daemon cannot do without.
#pragma once
#include <functional>
#include <thread>

namespace seine::service {

// Runs `work`; what that throws ends the process with 1 and one line in the log, so that nobody is answered
// by a daemon of which a part has died. Nothing is lost that a kill would not lose. `what` completes "the
// thread that ..".
std::thread guarded_thread(const char* what, std::function<void()> work);

}  // namespace seine::service
