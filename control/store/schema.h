// The tables of the embedded store and their version.
#pragma once
#include "control/store/sqlite.h"

namespace seine::store {

inline constexpr int kSchemaVersion = 1;

// Makes the tables in a new file, checks the version of an old one. Code::corrupt names a newer
// version or damage, and what to do.
Status prepare_main(Connection& connection, const std::string& path);
Status prepare_flows(Connection& connection);

}  // namespace seine::store
