// What an operator may set of detection, and its defaults.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/clock.h"

namespace seine::detect {

struct Options {
    // Hard caps; memory follows them, never the traffic.
    std::uint32_t accounts_max = 4'000'000;
    std::size_t sessions_max = 4'000'000;
    std::size_t exits_max = 1'000'000;  // (address, stack) pairs whose round trips are pooled
    // False positives asked for, per million accounts and day.
    double budget = 3;
    std::int64_t window_ns = 7 * 24 * 3'600 * kSecond;
    unsigned threads = 0;  // 0: as many as the machine has
    // Templates of cells: channel names joined by dots (channel.h); empty: the built-in set.
    std::vector<std::string> templates;
    // A farm is alerted from this many organisations on.
    std::uint32_t orgs_min = 5;
    // Findings are provisional until this much was seen.
    std::uint32_t warm_accounts = 50'000;
    std::int64_t warm_ns = 7 * 24 * 3'600 * kSecond;
    // Under as many accounts only shared sessions and crowded addresses make findings.
    std::uint32_t sparse_accounts = 20'000;
};

}  // namespace seine::detect
