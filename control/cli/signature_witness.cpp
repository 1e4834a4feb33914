// Control's own handler of these verbs does nothing: being asked is what it writes down.
#include "control/cli/signature_witness.h"

#include <cstdio>

#include "control/cli/ask.h"

namespace seine::cli {

void note_for_audit(const Invocation& invocation, const Status& failure) {
    // --socket alone names the dataplane's: where control is, nobody said.
    if (invocation.socket_given && invocation.dataplane_socket.empty()) return;
    command::Arguments arguments = invocation.arguments;
    if (!failure.ok()) arguments.set("failed", failure.message());
    const auto noted = ask(invocation, arguments);
    if (!noted && noted.error().code() != Code::unreachable)
        std::fprintf(stderr, "seinectl: not in the audit log: %s\n", noted.error().message().c_str());
}

}  // namespace seine::cli
