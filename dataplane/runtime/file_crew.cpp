// The crew that reads capture files.
#include <atomic>

#include "dataplane/runtime/crew.h"
#include "dataplane/runtime/pcap_feed.h"
#include "dataplane/runtime/receiver.h"

namespace seine::runtime {
namespace {

constexpr std::uint32_t kRingSlots = 1024;

PoolConfig file_pool() {
    PoolConfig config;
    config.name = "seine-files";
    config.packets = PcapFeed::kPoolPackets;
    return config;
}

// Files until somebody asks for the end.
class Stoppable final : public PacketSource {
  public:
    Stoppable(PacketSource& inner, const std::atomic<bool>& stop) : inner_(inner), stop_(stop) {}
    std::size_t receive(std::span<rte_mbuf*> out) noexcept override {
        return asked() ? 0 : inner_.receive(out);
    }
    [[nodiscard]] bool ended() const noexcept override { return asked() || inner_.ended(); }
    [[nodiscard]] Nanos last_time() const noexcept override { return inner_.last_time(); }

  private:
    [[nodiscard]] bool asked() const noexcept { return stop_.load(std::memory_order_relaxed); }
    PacketSource& inner_;
    const std::atomic<bool>& stop_;
};

struct Task {
    Worker* worker;
    PacketSource* source;
};
int run_worker(void* argument) {
    const auto* task = static_cast<const Task*>(argument);
    task->worker->run(*task->source);
    return 0;
}
int run_receiver(void* argument) {
    static_cast<Receiver*>(argument)->run();
    return 0;
}

class FileCrew final : public Crew {
  public:
    FileCrew(Eal& eal, std::unique_ptr<Pool> pool, std::vector<std::string> paths)
        : eal_(eal), pool_(std::move(pool)), feed_(std::move(paths), *pool_), input_(feed_, stop_) {}

    Status prepare(const CrewConfig& config) {
        const Status hired = hire(config, /*lossless=*/true, /*sleep_when_idle=*/true);
        if (!hired.ok() || config.workers == 1) return hired;
        receiver_ = std::make_unique<Receiver>(input_, config.workers, kRingSlots, DistributorLimits{});
        return {};
    }

    Status start() override {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            PacketSource* source = receiver_ == nullptr
                                       ? static_cast<PacketSource*>(&input_)
                                       : &receiver_->worker_source(static_cast<unsigned>(i));
            tasks_.push_back({workers_[i].get(), source});
        }
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            const Status launched = eal_.launch(static_cast<unsigned>(i), run_worker, &tasks_[i]);
            if (!launched.ok()) return launched;
        }
        if (receiver_ == nullptr) return {};
        return eal_.launch(static_cast<unsigned>(tasks_.size()), run_receiver, receiver_.get());
    }
    void stop() noexcept override { stop_.store(true, std::memory_order_relaxed); }

    [[nodiscard]] std::vector<std::string> problems() const override { return feed_.problems(); }

    [[nodiscard]] Snapshot snapshot() const override {
        Snapshot out;
        out.ports.push_back(feed_.port());
        for (const auto& worker : workers_) out.workers.push_back(worker->snapshot());
        if (receiver_ == nullptr) return out;
        for (std::size_t i = 0; i < kWorkerCounterCount; ++i) {
            out.receiver.push_back({std::string(kWorkerCounterTexts[i].name),
                                    receiver_->counters().get(static_cast<WorkerCounter>(i)),
                                    kWorkerCounterTexts[i].meaning});
        }
        return out;
    }

  private:
    Eal& eal_;
    std::unique_ptr<Pool> pool_;
    PcapFeed feed_;
    std::atomic<bool> stop_{false};
    Stoppable input_;
    std::unique_ptr<Receiver> receiver_;
    std::vector<Task> tasks_;
};

}  // namespace

unsigned Crew::slots_for_files(unsigned workers) noexcept {
    return workers > 1 ? workers + 1 : 1;
}

std::size_t Crew::memory_for_files() noexcept {
    // Driver and library structures beside the pool; one pool serves any number of workers.
    return Pool::bytes(file_pool()) + (std::size_t{32} << 20);
}

Result<std::unique_ptr<Crew>> Crew::for_files(Eal& eal, const CrewConfig& config,
                                              std::vector<std::string> paths) {
    auto pool = Pool::make(file_pool());
    if (!pool) return pool.error();
    auto crew = std::make_unique<FileCrew>(eal, std::move(*pool), std::move(paths));
    const Status prepared = crew->prepare(config);
    if (!prepared.ok()) return prepared;
    return std::unique_ptr<Crew>(std::move(crew));
}

}  // namespace seine::runtime
