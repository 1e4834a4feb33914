// The bits of an account record's `flags` by their names in JSON lines.
#pragma once
#include <cstdint>
#include <string_view>

#include "dataplane/contract/account_record.h"

namespace seine::contract {

struct AccountFlagName {
    std::string_view name;
    std::uint16_t bit;
};
inline constexpr AccountFlagName kAccountFlagNames[] = {
    {"ipv6", AccountFlags::ipv6},
    {"resumed", AccountFlags::resumed},
    {"h2", AccountFlags::h2},
    {"h3", AccountFlags::h3},
    {"signup", AccountFlags::signup},
    {"key_created", AccountFlags::key_created},
    {"declared_intermediary", AccountFlags::declared_intermediary},
};

// 0: there is no such name.
[[nodiscard]] constexpr std::uint16_t account_flag(std::string_view name) noexcept {
    for (const AccountFlagName& flag : kAccountFlagNames) {
        if (flag.name == name) return flag.bit;
    }
    return 0;
}

}  // namespace seine::contract
