// A farm as a picture: its networks on the left, its clients on the right, its accounts between.
#pragma once
#include <string>

#include "control/command/json_value.h"

namespace seine::cli {

// `farm` is the answer to `farm graph`. Text from the network is escaped: a name cannot leave its
// place in either format.
std::string farm_svg(const command::JsonValue& farm);
// For Graphviz: dot -Tpdf.
std::string farm_dot(const command::JsonValue& farm);

}  // namespace seine::cli
