// What is asked of the maker of a world, and what came of it.
#pragma once
#include <cstdint>
#include <string>

namespace seine::world {

struct MakeOptions {
    std::string level = "L4";
    std::uint64_t seed = 1;
    std::string folder;
    bool packed =
        false;          // flows.bin and accounts.bin instead of JSON lines, and no truth_flows.csv
    bool farms = true;  // false: benign accounts alone
    unsigned threads = 0;   // 0: as many as there are cores; the result does not depend on it
    bool progress = false;  // a line on stderr every few seconds
};

struct MakeCounts {
    std::uint64_t accounts = 0, farm_accounts = 0, active = 0, farm_active = 0;
    std::uint64_t flows = 0, farm_flows = 0, exchanges = 0, farm_exchanges = 0, records = 0,
                  prefixes = 0;
    double seconds = 0;
};

}  // namespace seine::world
