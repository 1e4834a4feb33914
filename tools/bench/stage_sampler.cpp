#include "tools/bench/stage_sampler.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace seine::bench {
namespace {

constexpr long kEveryNs = 1'000'000;

// What the handler reads and writes.
std::atomic<const pipeline::StageCell*> watched{nullptr};
std::atomic<bool> sampling{false};
std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(pipeline::Stage::count_)> seen{};
timer_t timer;
bool timed = false;

void sample(int) {
    const pipeline::StageCell* cell = watched.load(std::memory_order_relaxed);
    if (cell == nullptr || !sampling.load(std::memory_order_relaxed)) return;
    const std::uint8_t stage = cell->load(std::memory_order_relaxed);
    if (stage < seen.size()) seen[stage].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

StageSampler::StageSampler(const pipeline::StageCell& cell) noexcept {
    for (auto& count : seen) count = 0;
    watched = &cell;
    struct sigaction action {};
    action.sa_handler = sample;
    action.sa_flags = SA_RESTART;
    sigaction(SIGPROF, &action, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    timed = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
    const itimerspec every{{0, kEveryNs}, {0, kEveryNs}};
    if (timed) timer_settime(timer, 0, &every, nullptr);
}

StageSampler::~StageSampler() {
    if (timed) timer_delete(timer);
    sampling = false;
    watched = nullptr;
}

void StageSampler::on() noexcept { sampling.store(true, std::memory_order_relaxed); }
void StageSampler::off() noexcept { sampling.store(false, std::memory_order_relaxed); }

StageCounts StageSampler::counts() const noexcept {
    StageCounts out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = seen[i].load(std::memory_order_relaxed);
    return out;
}

}  // namespace seine::bench
