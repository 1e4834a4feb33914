// How many connections the join follows where the configuration leaves that to the machine.
#pragma once
#include <cstdint>
#include <string>

namespace seine::service {

inline constexpr std::uint64_t kLiveFlowsLeast = 250'000;
// At 100,000 openings a second a connection is followed until 15 s after its end: 1.5 million that have
// ended, and those that are open.
inline constexpr std::uint64_t kLiveFlowsMost = 4'000'000;

// An eighth of the memory, at 256 bytes each, within the bounds above.
std::uint64_t live_flows_for(std::uint64_t memory_bytes) noexcept;

// Of the machine, or what a control group of this process may use, whichever is less. `root` is where
// proc and sys are: "" but in tests.
std::uint64_t memory_for_us(const std::string& root);

}  // namespace seine::service
