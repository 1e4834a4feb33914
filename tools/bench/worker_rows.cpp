// Two workers on two cores that share nothing.
#include <array>
#include <thread>

#include "tools/bench/rows.h"

namespace seine::bench {

Status worker_rows(Bench& bench) {
    const std::uint64_t packets = bench.options().quick ? 30'000 : 400'000;
    std::array<std::unique_ptr<Arena>, 2> arenas;
    for (std::size_t i = 0; i < arenas.size(); ++i) {
        auto made = make_arena(generate::MixKind::edge, packets, 11 + i);
        if (!made) return made.error();
        arenas[i] = std::move(*made);
    }
    LineSetup setup;
    setup.inspector = plain_config();
    setup.passes = bench.options().passes;
    setup.floor = false;
    bench.say("workers: one, then two");
    std::array<double, 2> alone_ns{}, together_ns{};
    double spread_of = 0;
    for (std::size_t i = 0; i < arenas.size(); ++i) {
        const auto result = run_line(*arenas[i], setup);
        if (!result) return result.error();
        alone_ns[i] = figures_of(*result).total_ns();
    }
    std::array<Status, 2> failures;
    std::array<std::thread, 2> threads;
    for (std::size_t i = 0; i < arenas.size(); ++i) {
        threads[i] = std::thread([&, i] {
            const auto result = run_line(*arenas[i], setup);
            if (!result) {
                failures[i] = result.error();
                return;
            }
            const LineFigures figures = figures_of(*result);
            together_ns[i] = figures.total_ns();
            if (i == 0) spread_of = figures.spread;
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Status& failure : failures)
        if (!failure.ok()) return failure;
    // Packets per CPU second of both together over those of one.
    const double gain = alone_ns[0] / together_ns[0] + alone_ns[1] / together_ns[1];
    bench.report().add({.name = "two_workers", .value = gain, .unit = "times one worker", .target = 1.8,
                        .bound = Bound::at_least, .spread = spread_of,
                        .note = "per CPU second, the exporter's work counted at each"});
    return {};
}

}  // namespace seine::bench
