// flows.bin and accounts.bin of a world folder as batches.
#pragma once
#include <memory>
#include <string>

#include "tools/evaluate/world_batch.h"

namespace seine::evaluate {

Result<std::unique_ptr<BatchSource>> open_packed_flows(const std::string& path);
Result<std::unique_ptr<BatchSource>> open_packed_records(const std::string& path);

}  // namespace seine::evaluate
