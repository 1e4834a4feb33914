// Cores needed by what was measured in this run: arithmetic, past two cores an extrapolation.
#include "tools/bench/rows.h"

namespace seine::bench {
namespace {

constexpr double kRatesGigabits[] = {10, 25, 100, 400};
constexpr double kImixBytes = (7.0 * 60 + 4 * 576 + 1500) / 12;  // frames without their check sequence
constexpr double kAroundBytes = 24;                               // check sequence, preamble, gap

void add_cores(Bench& bench, const char* traffic, double frame_bytes, double cycles, const char* note) {
    const double per_core = bench.report().machine().ticks_per_ns() * 1e9 / cycles;
    for (const double rate : kRatesGigabits) {
        const double packets = rate * 1e9 / ((frame_bytes + kAroundBytes) * 8);
        bench.report().add({.name = std::string("cores_") + traffic + "_" + std::to_string(static_cast<int>(rate)) + "g",
                            .value = packets / per_core, .unit = "cores", .note = note});
    }
}

}  // namespace

Status cores_rows(Bench& bench) {
    const auto floor = bench.report().value("floor");
    const auto mix = bench.report().value("mix_all_in");
    const auto settled = bench.report().value("settled_packet");
    if (!floor || !mix || !settled) return {Code::usage, "needs the groups mix and settled in the same run"};
    add_cores(bench, "64b", 60, *floor + *settled, "floor and settled_packet");
    add_cores(bench, "imix", kImixBytes, *floor + *settled, "floor and settled_packet; 7 x 60, 4 x 576, 1 x 1500 B");
    const auto arena = bench.mix();
    if (!arena) return arena.error();
    add_cores(bench, "mix", (*arena)->mean_bytes(), *mix, "mix_all_in");
    return {};
}

}  // namespace seine::bench
