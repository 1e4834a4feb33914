// Operators' verbs into the audit log, and the name of this host.
#pragma once
#include <string>

#include "control/config/audit.h"
#include "control/service/answers.h"
#include "dataplane/base/clock.h"

namespace seine::service {

// One line per verb with its arguments (never the text of a file), one more where it failed.
Answers::Witness audit_witness(config::Audit& audit, std::function<Nanos()> now);
std::string host_name();

}  // namespace seine::service
