// Makes a world: settles its people, enlists its operators, plays its days, writes its files.
#pragma once
#include "dataplane/base/status.h"
#include "tools/world/parameters.h"
#include "tools/world/request.h"

namespace seine::world {

// Files of the folder: docs/worlds.md. It is made if it is not there; a world already in it is
// replaced.
Result<MakeCounts> make_world(const Parameters& parameters, const MakeOptions& options);

}  // namespace seine::world
