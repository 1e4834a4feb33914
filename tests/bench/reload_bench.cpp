// The largest gap between two bursts while sets of 5,000 patterns are reloaded, beside equal runs
// without.
//
//   reload_bench [PAIRS]     nine without an argument
//
// One thread does what a worker does: look for a new set, take a burst (here: match 32 requests),
// go on. Another loads, publishes and retires 20 sets. The gap is the longest time from one burst
// to the next; what else runs on the machine is in both.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/runtime/reload.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/matcher.h"
#include "dataplane/signature/rule_file.h"

namespace {

using namespace seine;
using Clock = std::chrono::steady_clock;

constexpr int kReloads = 20;
constexpr int kPatterns = 5000;

std::vector<std::uint8_t> blob() {
    std::string text;
    for (int i = 0; i < kPatterns; ++i) {
        const std::string n = std::to_string(i * 7919 % 99991);
        text += "[[rule]]\nid = \"r" + std::to_string(i) +
                "\"\ntitle = \"t\"\nclass = \"policy\"\nfield = \"" +
                (i % 2 == 0 ? "http.user_agent" : "http.path") + "\"\npattern = '(?:client|sdk)-" +
                n +
                "/[0-9]+'\n[[rule.match]]\nhttp.method = \"x\"\n[[rule.no_match]]\nhttp.method = "
                "\"x\"\n";
    }
    auto loaded = signature::read_rules_text("bench", text, "");
    auto compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) {
        std::fprintf(stderr, "reload_bench: %s", loaded.problems.lines().c_str());
        std::exit(1);
    }
    compiled.generation = 1;
    return encode(compiled);
}

std::unique_ptr<signature::Generation> load(const std::vector<std::uint8_t>& bytes,
                                            std::uint64_t number) {
    auto rules = signature::decode(bytes);
    if (!rules) std::exit(1);
    auto made = signature::Generation::make(std::move(*rules), {});
    if (!made) std::exit(1);
    (*made)->set_number(number);
    return std::move(*made);
}

void burst(signature::Matcher& matcher, signature::MatchState& state) {
    for (int i = 0; i < 32; ++i) {
        matcher.begin_request(state);
        matcher.feed(signature::Field::http_user_agent,
                     "python-requests/2.31.0 (an ordinary agent)");
        matcher.feed(signature::Field::http_path, "/v1/chat/completions");
        static_cast<void>(matcher.end(bit(signature::Group::http)));
    }
}

// Milliseconds of the longest gap in a run of `seconds`; with reloads, 20 of them are spread over
// it.
double longest_gap_ms(const std::vector<std::uint8_t>& bytes, double seconds, bool reloads,
                      std::uint64_t& swaps) {
    runtime::Reload reload(1);
    reload.publish(load(bytes, 1));
    std::atomic<bool> stop{false};
    double longest = 0;
    std::thread worker([&] {
        signature::Matcher matcher(0);
        signature::MatchState state;
        const signature::Generation* mine = nullptr;
        auto last = Clock::now();
        bool warm = false;
        while (!stop.load(std::memory_order_relaxed)) {
            const signature::Generation* now = reload.current();
            if (now != mine) {
                matcher.adopt(now);
                if (mine != nullptr) ++swaps;
                mine = now;
                reload.seat(0).adopted.store(now, std::memory_order_release);
            }
            burst(matcher, state);
            const auto at = Clock::now();
            const std::chrono::duration<double, std::milli> gap = at - last;
            if (warm) longest = std::max(longest, gap.count());
            warm = true;
            last = at;
        }
        reload.seat(0).gone.store(true, std::memory_order_release);
    });
    const auto begun = Clock::now();
    for (int i = 0; i < kReloads; ++i) {
        if (reloads) reload.publish(load(bytes, static_cast<std::uint64_t>(i) + 2));
        static_cast<void>(reload.retire());
        std::this_thread::sleep_until(begun +
                                      std::chrono::duration<double>(seconds * (i + 1) / kReloads));
    }
    stop.store(true);
    worker.join();
    return longest;
}

}  // namespace

int main(int argc, char** argv) {
    const int pairs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
    const auto bytes = blob();
    std::vector<double> above;
    std::vector<double> without;
    std::uint64_t swaps = 0;
    for (int i = 0; i < pairs; ++i) {
        const double still = longest_gap_ms(bytes, 3, false, swaps);
        const double moving = longest_gap_ms(bytes, 3, true, swaps);
        without.push_back(still);
        above.push_back(moving - still);
    }
    std::sort(above.begin(), above.end());
    std::sort(without.begin(), without.end());
    std::printf(
        "reload_gap  %d patterns, %d reloads a run, %llu swaps seen  n=%d  median %+.3f ms above "
        "the run without (least %+.3f, most %+.3f)  target <= 0.2 ms  without: median %.3f ms\n",
        kPatterns, kReloads, static_cast<unsigned long long>(swaps), pairs, above[above.size() / 2],
        above.front(), above.back(), without[without.size() / 2]);
    return 0;
}
