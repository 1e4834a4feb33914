// What a dataplane says of itself over its admin socket (contract/admin.h).
#pragma once
#include <string>
#include <string_view>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/admin.h"

namespace seine::command {

// One request: the document that answers, empty where the answer is that it is done. A refusal is a
// failure with the dataplane's own words.
Result<std::string> ask_dataplane(const std::string& socket, int timeout_ms,
                                  contract::AdminKind kind, ByteView body = {});

// Whether a counter of the stats document (docs/stats.md) says that something was lost or given up,
// by the words of its name.
[[nodiscard]] bool tells_a_loss(std::string_view counter) noexcept;

}  // namespace seine::command
