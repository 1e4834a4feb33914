// The accounts of a world in the order of their tags: rows of the truth, and what records repeat of
// them.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace seine::world {

// What every record of an account says of it.
struct RosterRow {
    std::array<std::uint8_t, 16> account_tag{};
    std::array<std::uint8_t, 16> org_tag{};
    std::uint64_t key_tag[2] = {0, 0};  // before and after its rotation
    std::uint32_t first_seen_day = 0;
    std::uint8_t tier = 0, trust = 0;
    bool declared = false;
};

}  // namespace seine::world
