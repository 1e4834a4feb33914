// flows.jsonl and accounts.jsonl of a world folder (docs/worlds.md).
#pragma once
#include <memory>
#include <string>

#include "dataplane/base/status.h"
#include "tools/evaluate/world_batch.h"

namespace seine::evaluate {

// Bad lines end the run with file, line and what is wrong: a world that is half read grades
// nothing.
Result<std::unique_ptr<BatchSource>> open_flow_lines(const std::string& path);
Result<std::unique_ptr<BatchSource>> open_record_lines(const std::string& path);

}  // namespace seine::evaluate
