// What a reader of a world hands on: flows and account records in the order of their files.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "control/model/flow.h"
#include "control/model/sighting.h"
#include "dataplane/contract/account_record.h"

namespace seine::evaluate {

// An account record as it came, a sign-up among them: those have no connection.
struct Record {
    contract::AccountRecord wire;
    bool signup = false;
};

using NewText = std::pair<model::ValueId, std::string>;

// A piece of one file. `texts` names values that no batch before it had.
struct Batch {
    std::vector<model::Flow> flows;
    std::vector<Record> records;
    std::vector<NewText> texts;
};

// One file of a world, read from front to end. An empty batch is the end.
class BatchSource {
  public:
    virtual ~BatchSource() = default;
    virtual Status next(Batch& out) = 0;
};

}  // namespace seine::evaluate
