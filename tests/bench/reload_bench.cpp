// The largest gap between two bursts while sets of 5,000 patterns are reloaded, beside equal runs
// without.
//
//   reload_bench [--loader-anywhere] [--ordinary] [PAIRS [SECONDS [PATTERNS]]]     nine of three seconds with 5,000
//   reload_bench --figures PAIRS SECONDS PATTERNS        for seine-bench: prints milliseconds above, the least and the most
//                                                        of the pairs, the median of the runs without, and the class
//
// One thread does what a worker does: look for a new set, take a burst (here: match 32 requests), go on. Another loads,
// publishes and retires 20 sets. As in the dataplane the loader keeps off the worker's processor (where there are two);
// `--loader-anywhere` does without, to see what that is good for. The gap is the longest time from one burst to the next;
// none is left out. So that other programs on the machine do not decide it, the worker asks for
// the real-time class (SCHED_FIFO); where it may not have it, or with `--ordinary`, their slices are gaps too. A second line
// says what is left when gaps are set aside in which the kernel gave the processor to somebody else; a third how many gaps were
// long, with reloads and without; a fourth how long those were in which the worker took up a new set.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/resource.h>

#include "dataplane/runtime/reload.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/matcher.h"
#include "dataplane/signature/rule_file.h"

namespace {

using namespace seine;
using Clock = std::chrono::steady_clock;

constexpr int kReloads = 20;
constexpr int kPatterns = 5000;
constexpr double kSeconds = 3;

std::vector<std::uint8_t> blob(int patterns) {
    std::string text;
    for (int i = 0; i < patterns; ++i) {
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

struct How {
    bool keeps_off = true;   // the loader, of the worker's processor
    bool real_time = true;
};

// The longest gap of a run in milliseconds: of all, and of those without an involuntary switch.
struct Gaps {
    double any = 0;
    double own = 0;
    std::uint64_t disturbed = 0;
    std::uint64_t over = 0;       // gaps longer than kBoundMs
    std::vector<double> swaps{};  // the gaps that took up a new set
    bool real_time = false;
};

// A real-time thread that never sleeps has the kernel take 50 ms from it each second for those who starve. So it naps
// now and then, between two gaps, in runs with reloads and without.
constexpr auto kNapEvery = std::chrono::milliseconds(100);
constexpr auto kNap = std::chrono::milliseconds(8);
constexpr double kBoundMs = 0.2;
constexpr double kLookMs = 0.02;  // shorter gaps are not asked why

long involuntary_switches() {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    return used.ru_nivcsw;
}

// The first and the last processor that the process may use; none where there is but one.
struct Processors {
    int loader = -1;
    int worker = -1;
};
Processors processors() {
    cpu_set_t all;
    Processors out;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return out;
    for (int i = 0; i < CPU_SETSIZE; ++i) {
        if (!CPU_ISSET(i, &all)) continue;
        if (out.loader < 0) out.loader = i;
        out.worker = i;
    }
    return out;
}
void run_on(int processor) {
    if (processor < 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    static_cast<void>(sched_setaffinity(0, sizeof one, &one));
}

bool ask_for_real_time() {
    sched_param first{};
    first.sched_priority = 1;
    return sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

void work(runtime::Reload& reload, const std::atomic<bool>& stop, int processor, const How& how, Gaps& out) {
    run_on(processor);
    out.real_time = how.real_time && ask_for_real_time();
    signature::Matcher matcher(0);
    signature::MatchState state;
    const signature::Generation* mine = nullptr;
    auto last = Clock::now();
    auto napped = last;
    long switches = involuntary_switches();
    bool warm = false;
    bool swapped = false;
    out.swaps.reserve(kReloads);
    while (!stop.load(std::memory_order_relaxed)) {
        const signature::Generation* now = reload.current();
        if (now != mine) {
            matcher.adopt(now);
            swapped = mine != nullptr;
            mine = now;
            reload.seat(0).adopted.store(now, std::memory_order_release);
        }
        burst(matcher, state);
        auto at = Clock::now();
        const std::chrono::duration<double, std::milli> gap = at - last;
        if (std::exchange(swapped, false)) out.swaps.push_back(gap.count());
        if (warm && gap.count() > kBoundMs) ++out.over;
        if (warm && gap.count() > std::min(out.own, kLookMs)) {
            const long before = std::exchange(switches, involuntary_switches());
            const bool own = switches == before;
            out.any = std::max(out.any, gap.count());
            if (own) out.own = std::max(out.own, gap.count());
            else ++out.disturbed;
            at = Clock::now();
        }
        warm = true;
        last = at;
        if (out.real_time && at - napped > kNapEvery) {
            std::this_thread::sleep_for(kNap);
            last = napped = Clock::now();
            switches = involuntary_switches();
        }
    }
    reload.seat(0).gone.store(true, std::memory_order_release);
}

// With reloads, 20 of them are spread over the run.
Gaps gaps_of_run(const std::vector<std::uint8_t>& bytes, double seconds, int processor, const How& how, bool reloads) {
    runtime::Reload reload(1);
    reload.publish(load(bytes, 1));
    std::atomic<bool> stop{false};
    Gaps out;
    std::thread worker([&] { work(reload, stop, processor, how, out); });
    const auto begun = Clock::now();
    for (int i = 0; i < kReloads; ++i) {
        if (reloads) reload.publish(load(bytes, static_cast<std::uint64_t>(i) + 2));
        static_cast<void>(reload.retire());
        std::this_thread::sleep_until(begun + std::chrono::duration<double>(seconds * (i + 1) / kReloads));
    }
    stop.store(true);
    worker.join();
    return out;
}

double middle(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Pairs {
    std::vector<double> above, without, own_above, own_without, swaps;
    std::uint64_t disturbed = 0;
    std::uint64_t over_moving = 0;
    std::uint64_t over_still = 0;
    bool real_time = true;
};

Pairs measure(const std::vector<std::uint8_t>& bytes, int pairs, double seconds, const How& how) {
    const Processors use = processors();
    if (how.keeps_off) run_on(use.loader);
    Pairs out;
    for (int i = 0; i < pairs; ++i) {
        const bool first = i % 2 == 0;  // which comes first alternates
        const Gaps one = gaps_of_run(bytes, seconds, use.worker, how, !first);
        const Gaps two = gaps_of_run(bytes, seconds, use.worker, how, first);
        const Gaps& still = first ? one : two;
        const Gaps& moving = first ? two : one;
        out.without.push_back(still.any);
        out.above.push_back(moving.any - still.any);
        out.own_without.push_back(still.own);
        out.own_above.push_back(moving.own - still.own);
        out.swaps.insert(out.swaps.end(), moving.swaps.begin(), moving.swaps.end());
        out.over_moving += moving.over;
        out.over_still += still.over;
        out.disturbed += still.disturbed + moving.disturbed;
        out.real_time = out.real_time && still.real_time && moving.real_time;
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    How how;
    bool figures = false;
    std::vector<const char*> numbers;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--figures") figures = true;
        else if (word == "--loader-anywhere") how.keeps_off = false;
        else if (word == "--ordinary") how.real_time = false;
        else numbers.push_back(argv[i]);
    }
    const int pairs = numbers.empty() ? 9 : std::max(1, std::atoi(numbers[0]));
    const double seconds = numbers.size() > 1 ? std::atof(numbers[1]) : kSeconds;
    const int patterns = numbers.size() > 2 ? std::atoi(numbers[2]) : kPatterns;
    Pairs got = measure(blob(patterns), pairs, seconds, how);
    const double above = middle(got.above);
    const double without = middle(got.without);
    const char* const worker = got.real_time ? "real-time" : "ordinary";
    if (figures) {
        std::printf("%f %f %f %f %s\n", above, got.above.front(), got.above.back(), without, worker);
        return 0;
    }
    std::printf("reload_gap  %d patterns, %d reloads a run of %.1f s, %zu swaps seen  n=%d  median %+.3f ms above the run without "
                "(least %+.3f, most %+.3f)  target <= 0.2 ms  without: median %.3f ms  worker: %s\n",
                patterns, kReloads, seconds, got.swaps.size(), pairs, above, got.above.front(),
                got.above.back(), without, worker);
    std::printf("less the %llu gaps in which something else was given the processor: median %+.3f ms above, without %.3f ms\n",
                static_cast<unsigned long long>(got.disturbed), middle(got.own_above), middle(got.own_without));
    std::printf("gaps over %.1f ms: %llu in the runs with reloads, %llu in those without\n", kBoundMs,
                static_cast<unsigned long long>(got.over_moving), static_cast<unsigned long long>(got.over_still));
    if (!got.swaps.empty()) {
        const double swap = middle(got.swaps);
        std::printf("gaps that take up a new set: median %.3f ms, most %.3f ms\n", swap, got.swaps.back());
    }
    return 0;
}
