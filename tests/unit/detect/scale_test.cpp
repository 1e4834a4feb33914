// A sweep and a saved state at any number of accounts: what they find, and how long each step takes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/detect/small_world.h"

namespace seine::detect {
namespace {

using test::kDayNs;
using test::kHourNs;
using test::kStart;
using test::Town;

double seconds_of(const std::function<void()>& work) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// SEINE_SWEEP_ACCOUNTS sets how many (the soak: 1,024,000); SEINE_SWEEP_THREADS how many threads
// think. Times are printed and judged by nobody here: the machine may be busy.
TEST(SweepAtScale, StepsAreShortAndFarmsAreFound) {
    const char* wanted = std::getenv("SEINE_SWEEP_ACCOUNTS");
    const std::uint64_t accounts = wanted == nullptr ? 20'000 : std::strtoull(wanted, nullptr, 10);
    const char* threads = std::getenv("SEINE_SWEEP_THREADS");
    Options options;
    options.threads = threads == nullptr ? 1u : static_cast<unsigned>(std::atoi(threads));
    auto made = Engine::make(options);
    ASSERT_TRUE(made.has_value());
    Engine& engine = **made;
    Town town;  // for its networks and what its people do
    engine.set_prefixes(Town::networks());
    std::uint64_t flow = 0;
    double feeding = 0;
    const auto play = [&] {
        feeding += seconds_of([&] {
            for (const test::Visit& v : town.visits) {
                engine.take(test::sighting(v, ++flow, false));
                engine.take(test::sighting(v, flow, true));
            }
        });
        town.visits.clear();
    };
    constexpr std::uint64_t kBatch = 10'000;
    for (std::uint64_t a = 1; a <= accounts; a += kBatch) {
        town.people(a, std::min(kBatch, accounts + 1 - a));
        play();
    }
    constexpr std::uint64_t kFarm = 1'000'000'000;
    town.relayed_farm(kFarm, 800);
    town.sharing_farm(2 * kFarm);
    play();
    double longest = 0, freezing = 0;
    bool whole = false;
    const Nanos end{kStart + 6 * kDayNs + kHourNs};
    const double beginning = seconds_of([&] { engine.begin_sweep(end); });
    while (!whole) {
        const double step = seconds_of([&] { whole = engine.gather(256); });
        longest = std::max(longest, step);
        freezing += step;
    }
    const double thinking = seconds_of([&] { engine.think(); });
    const double swapping = seconds_of([&] { engine.finish_sweep(); });
    double longest_save = 0, saving = 0;
    std::string piece;
    std::size_t bytes = 0;
    engine.begin_save();
    for (whole = false; !whole; piece.clear()) {
        const double step = seconds_of([&] { whole = engine.save_step(256, piece); });
        longest_save = std::max(longest_save, step);
        saving += step;
        bytes += piece.size();
    }
    const Counters c = engine.counters();
    EXPECT_EQ(c.accounts, accounts + 805);
    std::size_t found = 0, others = 0;
    engine.results([&](const AccountResult& r) { (r.alerted ? found : others) += 1; });
    EXPECT_GE(found, 800u);
    EXPECT_LE(found, 805u);
    std::printf("  %llu accounts, %.0f bytes each; %.2f us a sighting\n",
                static_cast<unsigned long long>(c.accounts),
                static_cast<double>(c.bytes) / static_cast<double>(c.accounts),
                1e6 * feeding / static_cast<double>(2 * flow));
    std::printf("  sweep: begun %.1f ms, frozen %.2f s, longest step %.0f us, thought %.2f s, put in "
                "force %.1f ms\n",
                1e3 * beginning, freezing, 1e6 * longest, thinking, 1e3 * swapping);
    std::printf("  state: %.0f MB, written %.2f s, longest step %.0f us\n",
                static_cast<double>(bytes) / 1e6, saving, 1e6 * longest_save);
}

}  // namespace
}  // namespace seine::detect
