// What systemd is told of a daemon (sd_notify(3)): nothing where it did not start us.
#pragma once
#include <string_view>

namespace seine::exporting {

// "READY=1", "WATCHDOG=1", "STOPPING=1". Never fails: nobody may listen.
void notify(std::string_view state) noexcept;

}  // namespace seine::exporting
