// What an operator does to the rules of a dataplane, in control's audit log too.
#pragma once
#include "control/cli/noun.h"

namespace seine::cli {

// Tells control of the verb that was typed, and with `failure` that it came to nothing. Control need
// not run: rules are the dataplane's, and its versions keep who and why. Where it runs and takes no
// line, that is said on stderr.
void note_for_audit(const Invocation& invocation, const Status& failure);

// A verb that is noted before it is done.
template <auto kRun>
Status witnessed(const Invocation& invocation, const Write& write) {
    note_for_audit(invocation, {});
    Status status = kRun(invocation, write);
    if (!status.ok()) note_for_audit(invocation, status);
    return status;
}

}  // namespace seine::cli
