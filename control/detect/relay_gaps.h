// Share of relayed accounts in each bin of the round-trip gap. Written by
// tools/evaluate/count_gaps.py from captures of real relays: 9 pools of relays that pass TLS
// through, each gap at the 22 round trips of TCP that were measured.
#pragma once
#include <array>
#include <cstddef>

namespace seine::detect {

// Rows: delta <5, 5-15, 15-40, 40-100, >100 ms; columns: rho <1.3, 1.3-2, 2-4, >4.
inline constexpr std::array<double, 20> kRelayGapShare = {0.0317, 0.0106, 0.0089, 0.0203,  //
                                                          0.0170, 0.0235, 0.0106, 0.0203,  //
                                                          0.0106, 0.0170, 0.0219, 0.0219,  //
                                                          0.0089, 0.0235, 0.0885, 0.3076,  //
                                                          0.0089, 0.0089, 0.0690, 0.2703};

}  // namespace seine::detect
