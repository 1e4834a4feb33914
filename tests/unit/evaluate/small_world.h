// A truth of a few accounts, made by hand, for the tests of this folder.
#pragma once
#include <string>

#include "tools/evaluate/world_truth.h"

namespace seine::evaluate {

// Benign rows first, then farm rows of operator op-a (campaign A) and op-b (campaign B).
inline WorldTruth small_truth(std::size_t benign, std::size_t a, std::size_t b, double days = 1) {
    WorldTruth truth;
    truth.level = "L1";
    truth.days = days;
    truth.names = {"", "op-a", "op-b", "A", "B", "campus"};
    for (std::size_t i = 0; i < benign + a + b; ++i) {
        TruthRow row;
        row.account.bytes[0] = static_cast<std::uint8_t>(i + 1);
        row.account.bytes[1] = static_cast<std::uint8_t>((i + 1) >> 8);
        row.org.bytes = row.account.bytes;
        row.org.bytes[15] = 1;
        row.active = true;
        if (i >= benign) row.farm = i < benign + a ? 1 : 2;
        if (i >= benign) row.campaign = i < benign + a ? 3 : 4;
        truth.row_of.emplace(row.account, static_cast<std::uint32_t>(truth.rows.size()));
        truth.rows.push_back(row);
    }
    return truth;
}

}  // namespace seine::evaluate
