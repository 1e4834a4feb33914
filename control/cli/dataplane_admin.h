// One request to a dataplane's admin socket.
#pragma once
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/admin.h"

namespace seine::cli {

// The document that answers, empty where the answer is that it is done. A refusal is a failure with
// the dataplane's own words.
Result<std::string> ask_dataplane(const std::string& socket, int timeout_ms,
                                  contract::AdminKind kind, ByteView body = {});

}  // namespace seine::cli
