// Names of channels.
#include "control/detect/channel.h"

#include <array>

namespace seine::detect {

std::string_view name_of(model::Group group) noexcept {
    static constexpr std::string_view kNames[kGroups] = {"NET", "STK", "LNK", "TIME", "MIX", "PRX"};
    return kNames[static_cast<std::size_t>(group) - 1];
}

std::string_view name_of(Channel channel) noexcept {
    static constexpr std::array<std::string_view, kChannels> kNames = {
        "ip",  "prefix",  "asn",   "stk", "ja4",     "syn",   "ticket", "conn",  "onb",
        "age", "cadence", "shape", "mix", "variety", "pivot", "prx",    "exits", "mobility",
        "late", "pair", "way"};
    return kNames[static_cast<std::size_t>(channel)];
}

}  // namespace seine::detect
