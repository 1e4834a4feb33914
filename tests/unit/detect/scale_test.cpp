// A sweep and a saved state at any number of accounts: what they find, and how long each step
// takes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <time.h>

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

std::uint64_t wanted(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Of this thread: what a step takes on a machine that has time for it.
double cpu_seconds_now() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double cpu_seconds_of(const std::function<void()>& work) {
    const double begun = cpu_seconds_now();
    work();
    return cpu_seconds_now() - begun;
}

// Calls `step` until it says that it was the last.
struct Steps {
    double whole = 0, longest = 0;
    template <typename Step>
    explicit Steps(Step step) {
        for (bool last = false; !last;) {
            const double took = cpu_seconds_of([&] { last = step(); });
            longest = std::max(longest, took);
            whole += took;
        }
    }
};

constexpr std::uint32_t kStep = 64;

void sweep(Engine& engine, Nanos now) {
    engine.tick(now);
    const double beginning = cpu_seconds_of([&] { engine.begin_sweep(now); });
    const Steps freezing([&] { return engine.gather(kStep); });
    const double thinking = seconds_of([&] { engine.think(); });
    std::shared_ptr<const void> before;
    double swapping = 0, longest = 0, since = cpu_seconds_now();
    const auto breath = [&] {
        const double took = cpu_seconds_now() - since;
        longest = std::max(longest, took);
        swapping += took;
        since = cpu_seconds_now();
    };
    before = engine.finish_sweep(breath);
    breath();
    const double ending = seconds_of([&] { before.reset(); });
    std::printf(
        "  sweep: begun %.2f ms, frozen %.2f s, longest step %.0f us, thought %.2f s, put in "
        "force %.2f ms, longest step %.0f us, what was before let go of in %.1f ms\n",
        1e3 * beginning, freezing.whole, 1e6 * freezing.longest, thinking, 1e3 * swapping,
        1e6 * longest, 1e3 * ending);
}

// SEINE_SWEEP_ACCOUNTS sets how many people there are, SEINE_SWEEP_FARM how large the larger farm
// is (the soak: 1,024,000 accounts together); SEINE_SWEEP_THREADS how many threads think. Times are
// printed and judged by nobody here: the machine may be busy, so that those of steps are of its own
// CPU.
TEST(SweepAtScale, StepsAreShortAndFarmsAreFound) {
    const std::uint64_t accounts = wanted("SEINE_SWEEP_ACCOUNTS", 20'000);
    const std::uint64_t members = wanted("SEINE_SWEEP_FARM", 800);
    Options options;
    options.threads = static_cast<unsigned>(wanted("SEINE_SWEEP_THREADS", 1));
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
    town.relayed_farm(kFarm, members);
    town.sharing_farm(2 * kFarm);
    play();
    const Nanos end{kStart + 6 * kDayNs + kHourNs};
    sweep(engine, end);
    sweep(engine, {end.count + kHourNs});
    FarmList list;
    const Steps listing([&] { return engine.farms_step(kStep, list); });
    engine.begin_save();
    std::string piece;
    std::size_t bytes = 0;
    const Steps saving([&] {
        bytes += piece.size();
        piece.clear();
        return engine.save_step(kStep, piece);
    });
    const Counters c = engine.counters();
    EXPECT_EQ(c.accounts, accounts + members + 5);
    std::size_t found = 0, others = 0;
    engine.results([&](const AccountResult& r) { (r.alerted ? found : others) += 1; });
    EXPECT_GE(found, members);
    EXPECT_LE(found, members + 5);
    EXPECT_EQ(list.take().size(), engine.farms().size());
    std::printf("  %llu accounts, %.0f bytes each; %.2f us a sighting\n",
                static_cast<unsigned long long>(c.accounts),
                static_cast<double>(c.bytes) / static_cast<double>(c.accounts),
                1e6 * feeding / static_cast<double>(2 * flow));
    std::printf("  state: %.0f MB, written in %.2f s, longest step %.0f us\n",
                static_cast<double>(bytes + piece.size()) / 1e6, saving.whole,
                1e6 * saving.longest);
    std::printf("  farms copied in %.1f ms, longest step %.0f us\n", 1e3 * listing.whole,
                1e6 * listing.longest);
}

}  // namespace
}  // namespace seine::detect
