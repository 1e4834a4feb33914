// The crew that listens on live ports.
#include <algorithm>
#include <iterator>

#include "dataplane/runtime/crew.h"
#include "dataplane/runtime/flow_bypass.h"
#include "dataplane/runtime/live_source.h"
#include "dataplane/runtime/offload.h"
#include "dataplane/runtime/port.h"
#include "dataplane/runtime/shedding.h"

namespace seine::runtime {
namespace {

constexpr unsigned kStallTends = 2;  // seconds without a turn of the loop

struct Task {
    Worker* worker;
    PacketSource* source;
};
int run_worker(void* argument) {
    const auto* task = static_cast<const Task*>(argument);
    task->worker->run(*task->source);
    return 0;
}

// One open port and what only the kernel knows of it.
struct OpenPort {
    std::unique_ptr<Port> port;
    std::vector<KernelSocket> sockets;
    OffloadState offload;
    std::unique_ptr<FlowBypass> bypass;  // nullptr: no flow is passed by
};

class LiveCrew final : public Crew {
  public:
    LiveCrew(Eal& eal, unsigned workers, std::uint32_t handover_slots)
        : eal_(eal), handover_(workers, handover_slots) {}
    ~LiveCrew() override {
        sources_.clear();
        ports_.clear();  // before the pool that their queues use
    }

    Status prepare(const CrewConfig& config, const LivePlan& plan) {
        PoolConfig pool;
        pool.name = "seine-live";
        pool.packets = plan.buffers;
        pool.data_bytes = plan.buffer_bytes;
        pool.socket = Port::socket_of(plan.inputs.front().name);
        auto made = Pool::make(pool);
        if (!made) return made.error();
        pool_ = std::move(*made);
        const Status hired = hire(config, /*lossless=*/false, config.sleep_when_idle);
        if (!hired.ok()) return hired;
        filter_ = PortFilter(config.keep_ports);
        for (const LiveInput& input : plan.inputs) {
            const Status opened = open(input);
            if (!opened.ok()) return opened;
            if (filter_.any()) keep_ports(config.keep_ports);
            OpenPort& last = ports_.back();
            if (config.inspector.bypass_shift < pipeline::InspectorConfig::kNoBypass)
                last.bypass = std::make_unique<FlowBypass>(card_rules_of(last.port->id(), last.port->queues()));
        }
        for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
            if (plan.inputs[i].forward_to < 0) continue;
            live_[i].forward_to = ports_[static_cast<std::size_t>(plan.inputs[i].forward_to)].port.get();
        }
        for (unsigned i = 0; i < config.workers; ++i) {
            sources_.push_back(std::make_unique<LiveSource>(i, live_, clock_, handover_,
                                                            workers_[i]->counters(), &shed_));
        }
        watched_.resize(config.workers);
        return {};
    }

    Status start() override {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            tasks_.push_back({workers_[i].get(), sources_[i].get()});
        }
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            const Status launched = eal_.launch(static_cast<unsigned>(i), run_worker, &tasks_[i]);
            if (!launched.ok()) return launched;
        }
        return {};
    }
    void stop() noexcept override { handover_.stop(); }
    [[nodiscard]] std::vector<std::string> problems() const override { return {}; }
    [[nodiscard]] Snapshot snapshot() const override;
    std::vector<std::string> tend() override;

  private:
    Status open(const LiveInput& input);
    void keep_ports(const std::vector<std::uint16_t>& ports);
    void watch(std::vector<std::string>& lines);
    void shed(std::vector<std::string>& lines);
    void pass_by();

    struct Watched {
        std::uint64_t heartbeat = 0;
        unsigned still = 0;
    };

    Eal& eal_;
    std::unique_ptr<Pool> pool_;
    std::vector<OpenPort> ports_;
    std::vector<LivePort> live_;
    PortFilter filter_;
    TscClock clock_;
    Handover handover_;
    std::vector<std::unique_ptr<LiveSource>> sources_;
    std::vector<Task> tasks_;
    std::vector<Watched> watched_;
    ShedController shed_controller_;
    ShedLevel shed_{0};
};

Status LiveCrew::open(const LiveInput& input) {
    PortConfig config;
    config.label = input.name;
    config.queues = static_cast<std::uint16_t>(input.queues);
    const std::string number = std::to_string(ports_.size());
    if (input.kind == LiveKind::af_packet) {
        config.device = "net_af_packet" + number;
        config.arguments = input.ring.arguments(input.name, input.queues);
    } else if (input.kind == LiveKind::af_xdp) {
        // Without the driver's busy polling, which halves what one core receives here.
        config.device = "net_af_xdp" + number;
        config.arguments = "iface=" + input.name + ",start_queue=0,queue_count=" +
                           std::to_string(input.queues) + ",busy_budget=0,xdp_prog=" + input.program;
        config.descriptors = 2048;
    } else {
        config.device = input.name;
        config.hardware = true;
        config.mtu = 9000;
    }
    config.forwards = input.forward_to >= 0;
    const auto before = kernel_sockets();
    auto port = Port::open(config, *pool_);
    if (!port) return port.error();
    OpenPort open;
    open.port = std::move(*port);
    const auto after = kernel_sockets();
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                        std::back_inserter(open.sockets));
    // The kernel's fanout hash is symmetric, as is the RSS key that ports are given.
    const bool symmetric = input.kind == LiveKind::af_packet || open.port->spreads_flows();
    live_.push_back({open.port.get(), input.facts.link, symmetric});
    ports_.push_back(std::move(open));
    return {};
}

// Of the port opened last.
void LiveCrew::keep_ports(const std::vector<std::uint16_t>& ports) {
    OpenPort& open = ports_.back();
    const auto card = card_rules_of(open.port->id(), open.port->queues());
    open.offload = put_on_card(*card, rules_for_ports(ports));
    if (open.offload.where == OffloadState::Where::software) live_.back().filter = &filter_;
}

Snapshot LiveCrew::snapshot() const {
    Snapshot out;
    for (const OpenPort& open : ports_) {
        PortSnapshot port;
        port.label = open.port->label();
        const LinkState link = open.port->link();
        port.link_up = link.up;
        port.link_megabits = link.megabits;
        port.counters = open.port->counters();
        if (open.offload.where != OffloadState::Where::nowhere)
            port.offload = open.offload.where == OffloadState::Where::card ? "card" : "software";
        port.offload_rules = open.offload.rules;
        port.offload_refusal = open.offload.why;
        if (open.bypass != nullptr) port.bypass = open.bypass->counts();
        for (const KernelSocket& socket : open.sockets) {
            port.counters.kernel_packets += socket.packets;
            port.counters.kernel_drops += socket.drops;
        }
        out.ports.push_back(std::move(port));
    }
    out.shed_buckets = shed_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        out.workers.push_back(workers_[i]->snapshot());
        out.workers.back().stalled = watched_[i].still >= kStallTends;
    }
    return out;
}

void LiveCrew::watch(std::vector<std::string>& lines) {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        Watched& watched = watched_[i];
        const std::uint64_t heartbeat = workers_[i]->heartbeat();
        if (heartbeat != watched.heartbeat || workers_[i]->done()) {
            if (watched.still >= kStallTends) {
                lines.push_back("worker " + std::to_string(i) + " moves again");
            }
            watched = {heartbeat, 0};
        } else if (++watched.still == kStallTends) {
            lines.push_back("worker " + std::to_string(i) + " has stood still for " +
                            std::to_string(kStallTends) + " s; is its processor taken by another program?");
        }
    }
}

// Losses in front of the inspector; those behind it have their own remedies.
void LiveCrew::shed(std::vector<std::string>& lines) {
    ShedController::Seen sums;
    for (const OpenPort& open : ports_) {
        const PortCounters counters = open.port->counters();
        sums.lost += counters.imissed + counters.rx_nombuf;
        for (const KernelSocket& socket : open.sockets) sums.lost += socket.drops;
    }
    for (const auto& worker : workers_) {
        const WorkerCounters& counters = worker->counters();
        sums.lost += counters.get(WorkerCounter::handover_dropped);
        sums.received += counters.get(WorkerCounter::packets_received) + counters.get(WorkerCounter::packets_shed);
    }
    std::string line = shed_controller_.tend(sums);
    shed_.store(shed_controller_.level(), std::memory_order_relaxed);
    if (!line.empty()) lines.push_back(std::move(line));
}

// A flow's two directions may come by any of the ports, so every card is asked.
void LiveCrew::pass_by() {
    for (const auto& worker : workers_) {
        pipeline::BypassAsk ask;
        while (worker->bypass() != nullptr && worker->bypass()->asks.pop(ask))
            for (OpenPort& open : ports_) open.bypass->take(ask, *worker->bypass());
    }
    for (OpenPort& open : ports_)
        if (open.bypass != nullptr) open.bypass->tend();
}

std::vector<std::string> LiveCrew::tend() {
    std::vector<std::string> lines;
    const std::uint32_t epoch = clock_.epoch();
    const std::int64_t error_ns = clock_.discipline();
    if (clock_.epoch() != epoch) {
        lines.push_back("the wall clock was set by " + std::to_string(error_ns / kMillisecond) +
                        " ms; times before and after do not compare");
    }
    for (OpenPort& open : ports_) {
        for (KernelSocket& socket : open.sockets) refresh(socket);
    }
    watch(lines);
    shed(lines);
    pass_by();
    return lines;
}

}  // namespace

Result<std::unique_ptr<Crew>> Crew::for_live(Eal& eal, const CrewConfig& config,
                                             const LivePlan& plan) {
    auto crew = std::make_unique<LiveCrew>(eal, config.workers, plan.handover_slots);
    const Status prepared = crew->prepare(config, plan);
    if (!prepared.ok()) return prepared;
    return std::unique_ptr<Crew>(std::move(crew));
}

}  // namespace seine::runtime
