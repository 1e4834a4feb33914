// Laying the status document out.
#include "control/cli/status_view.h"

#include "control/cli/table.h"

namespace seine::cli {

using command::JsonValue;

namespace {

std::string head(const JsonValue& status) {
    std::string out = shown(status["program"].text()) + " " + shown(status["version"].text()) + "   " +
                      shown(status["state"].text()) + "   up " + duration(status["uptime_ns"].number()) +
                      "   pid " + std::to_string(status["pid"].number());
    return out + "\n";
}

}  // namespace

std::string status_screen(const JsonValue& status, const Invocation&) {
    std::string out = head(status);
    return out;
}

}  // namespace seine::cli
