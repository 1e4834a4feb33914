// Names of channels.
#include "control/detect/channel.h"

#include <array>

namespace seine::detect {

std::string_view name_of(Channel channel) noexcept {
    static constexpr std::array<std::string_view, kChannels> kNames = {
        "ip",  "prefix",  "asn",   "stk", "ja4",     "syn",   "ticket", "conn",  "onb",
        "age", "cadence", "shape", "mix", "variety", "pivot", "prx",    "exits", "mobility",
        "late", "pair"};
    return kNames[static_cast<std::size_t>(channel)];
}

}  // namespace seine::detect
