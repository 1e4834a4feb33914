#include "dataplane/app/run.h"

#include <fcntl.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include <sys/random.h>
#include <sys/stat.h>

#include "dataplane/app/admin_server.h"
#include "dataplane/app/outputs.h"
#include "dataplane/app/rule_keeper.h"
#include "dataplane/app/stats_report.h"
#include "dataplane/app/watchdog.h"
#include "dataplane/app/xdp_inputs.h"
#include "dataplane/export/notify.h"
#include "dataplane/runtime/core_dump.h"
#include "dataplane/runtime/crew.h"
#include "dataplane/runtime/eal.h"
#include "dataplane/runtime/live_plan.h"
#include "dataplane/runtime/privileges.h"
#include "dataplane/runtime/telemetry.h"

namespace seine::app {
namespace {

constexpr int kTurnMs = 20;
constexpr char kSocketFolder[] = "/run/seine";
constexpr std::int64_t kTendNs = kSecond;

void say(const std::string& line) { std::fprintf(stderr, "seine-dataplane: %s\n", line.c_str()); }

std::int64_t clock_ns(clockid_t clock) {
    timespec at{};
    clock_gettime(clock, &at);
    return at.tv_sec * kSecond + at.tv_nsec;
}

Status read_hash_key(const std::string& path, std::uint8_t (&key)[16]) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, key, sizeof key);
    const int error = errno;
    if (fd >= 0) close(fd);
    if (got == static_cast<ssize_t>(sizeof key)) return {};
    return failed(path + ": " +
                  (got < 0 ? std::strerror(error) : "shorter than the 16 bytes of a hash key") +
                  "; make one with: head -c 16 /dev/urandom > FILE");
}

// Captures give the same records at every run: their key is zero unless one is given. Live, a key made
// for this run keeps the hashes from being looked up elsewhere.
Result<runtime::CrewConfig> crew_config(const Config& config, std::uint32_t epoch) {
    runtime::CrewConfig out;
    out.workers = config.workers;
    out.record_ring_bytes = config.record_ring_bytes;
    out.sleep_when_idle = config.idle_sleep;
    out.keep_ports.assign(config.keep_ports.begin(), config.keep_ports.end());
    auto& inspector = out.inspector;
    // A capture gives every flow it holds, as seine-replay does; nobody floods a file.
    inspector.records_all = config.records_all || !config.live();
    if (!config.live()) inspector.limits.half_open_ns = inspector.limits.kHalfOpenOfFilesNs;
    inspector.dataplane_id = static_cast<std::uint16_t>(config.dataplane_id);
    inspector.epoch = epoch;
    if (config.live() && config.bypass_mib != 0)
        inspector.bypass_shift = static_cast<std::uint8_t>(20 + std::countr_zero(config.bypass_mib));
    if (config.flows_max != 0) inspector.limits.flows_max = config.flows_max;
    if (config.cold_flows_max != 0) inspector.limits.cold_flows_max = config.cold_flows_max;
    if (config.stream_pool_bytes != 0) inspector.limits.stream_pool_bytes = config.stream_pool_bytes;
    for (const std::string& name : config.key_headers) {
        if (!inspector.key_headers.add(name)) return failed("--key-header " + name + ": more names than there is room for");
    }
    if (!config.hash_key_file.empty()) {
        const Status read = read_hash_key(config.hash_key_file, inspector.hash_key);
        if (!read.ok()) return read;
    } else if (config.live()) {
        if (getrandom(inspector.hash_key, sizeof inspector.hash_key, 0) !=
            static_cast<ssize_t>(sizeof inspector.hash_key)) {
            return failed("the kernel gives no random bytes for a hash key; give --hash-key-file");
        }
    }
    if (config.live() && getrandom(&inspector.table_seed, sizeof inspector.table_seed, 0) !=
                             static_cast<ssize_t>(sizeof inspector.table_seed)) {
        return failed("the kernel gives no random bytes for the flow table");
    }
    return out;
}

// What a worker takes from the heap beside its record ring, about.
constexpr std::size_t kWorkerHeapBytes = std::size_t{24} << 20;

// The heap keeps that much, its pages touched: taking it later costs no page fault.
void touch_heap(std::size_t bytes) {
    constexpr int kBytesMax = 1 << 30;
    mallopt(M_MMAP_THRESHOLD, kBytesMax);
    mallopt(M_TRIM_THRESHOLD, kBytesMax);
    const auto memory = std::make_unique<char[]>(bytes);  // zeroed, so every page is there
    static_cast<void>(static_cast<const volatile char*>(memory.get())[bytes - 1]);
}

// All of one run; members are destroyed in reverse, the EAL last.
class Run {
  public:
    Run(const Config& config, const std::atomic<bool>& stop_asked, const Watched& watched)
        : config_(config), stop_asked_(stop_asked), watched_(watched), started_ns_(clock_ns(CLOCK_REALTIME)), rules_(config) {}

    int go() {
        const Status started = start();
        if (!started.ok()) {
            say(started.message());
            return started.code() == Code::usage ? 2 : 1;
        }
        if (!turn_came_) return 0;
        attend();
        return end();
    }

  private:
    Status look_at_user();
    Status look_at_inputs();
    Status start_dpdk();
    Status open_admin();
    Status drop_privileges();
    Status start();
    void tend(std::int64_t now_ns);
    void beat();
    void attend();
    int end();
    [[nodiscard]] Report report() const;
    // Keeps a line for the counters' reader, and if `aloud` says it once the start has succeeded: a
    // start that fails says why and nothing else.
    void note(const std::string& line, bool aloud) {
        notices_.push_back(line);
        if (aloud) to_say_.push_back(line);
    }

    const Config& config_;
    const std::atomic<bool>& stop_asked_;
    Watched watched_;  // by the watchdog, if there is one
    bool turn_came_ = true;
    std::vector<std::uint64_t> heartbeats_;
    DirectionWatch directions_;
    std::string admin_path_;
    bool telemetry_ = false;
    std::optional<runtime::User> user_;  // that it becomes, if another
    std::int64_t started_ns_;
    std::string state_ = "running";
    bool stop_told_ = false;
    std::vector<std::string> notices_;
    std::vector<std::string> to_say_;
    std::vector<std::string> problems_;
    runtime::LivePlan live_;
    RuleKeeper rules_;                // outlives the workers that match with its sets
    std::unique_ptr<XdpInputs> xdp_;  // outlives the ports that use its program
    std::unique_ptr<runtime::Eal> eal_;
    std::unique_ptr<runtime::Crew> crew_;
    std::unique_ptr<Outputs> outputs_;
    std::unique_ptr<AdminServer> admin_;
};

// Before anything is opened: a name that nobody has leaves no file, no socket and no answer behind.
Status Run::look_at_user() {
    if (config_.user.empty()) return {};
    auto user = runtime::find_user(config_.user);
    if (!user) return user.error();
    user_ = std::move(*user);
    return {};
}

Status Run::look_at_inputs() {
    if (!config_.live()) return {};
    std::vector<runtime::LiveRequest> requests;
    const auto add = [&](runtime::LiveKind kind, const std::vector<std::string>& names) {
        for (const std::string& name : names) requests.push_back({kind, name, config_.consume});
    };
    add(runtime::LiveKind::af_packet, config_.af_packet);
    add(runtime::LiveKind::af_xdp, config_.af_xdp);
    add(runtime::LiveKind::device, config_.port);
    add(runtime::LiveKind::inline_pair, config_.inline_pairs);
    auto plan = runtime::plan_live(requests, config_.workers);
    if (!plan) return plan.error();
    live_ = std::move(*plan);
    if (!config_.af_xdp.empty()) {
        auto xdp = XdpInputs::prepare(config_.af_xdp);
        if (!xdp) return xdp.error();
        xdp_ = std::move(*xdp);
        for (auto& input : live_.inputs) input.program = xdp_->program_path();
        for (const std::string& notice : xdp_->notices()) note(notice, true);
    }
    for (const std::string& notice : live_.notices) note(notice, true);
    return {};
}

Status Run::start_dpdk() {
    runtime::EalPlan plan;
    plan.extra_args = config_.eal;
    if (config_.live()) {
        plan.slots = config_.workers;
        plan.memory_bytes = live_.memory_bytes();
        plan.devices = live_.devices;
        // Without a folder for its socket DPDK would not start at all.
        plan.telemetry = geteuid() != 0 || access("/run", W_OK) == 0;
    } else {
        plan.slots = runtime::Crew::slots_for_files(config_.workers);
        plan.memory_bytes = runtime::Crew::memory_for_files();
    }
    auto eal = runtime::Eal::start(plan);
    if (!eal) return eal.error();
    eal_ = std::make_unique<runtime::Eal>(std::move(*eal));
    if (plan.telemetry) {
        const Status told = runtime::Telemetry::start();
        telemetry_ = told.ok();
        if (!told.ok()) note("no telemetry: " + told.message(), true);
    }
    // A capture is read at any speed: there, slower pages are for the counters' reader alone.
    if (!eal_->notice().empty()) note(eal_->notice(), config_.live());
    return {};
}

// Live, the socket is where seinectl looks by itself; that it cannot be had is no reason not to run.
Status Run::open_admin() {
    const auto open = [this](const std::string& path) {
        return AdminServer::open(
            path, [this] { return stats_document(report()); }, [this] { stop_told_ = true; }, rules_);
    };
    std::string path = config_.socket;
    if (path.empty() && config_.live()) {
        static_cast<void>(mkdir(kSocketFolder, 0755));
        path = std::string(kSocketFolder) + "/dataplane.sock";
    }
    auto admin = open(path);
    if (!admin && config_.socket.empty()) {
        note("no admin socket: " + admin.error().message() + "; choose another with --socket", true);
        admin = open("");
    }
    if (!admin) return admin.error();
    admin_ = std::make_unique<AdminServer>(std::move(*admin));
    admin_path_ = path;
    return {};
}

// Last of all that needs root. What this run made it may still remove as that user.
Status Run::drop_privileges() {
    if (!user_) return {};
    if (!admin_path_.empty()) {
        const std::string folder = admin_path_.substr(0, admin_path_.rfind('/'));
        const Status handed = runtime::hand_to(*user_, admin_path_);
        if (!handed.ok()) return handed;
        if (folder == kSocketFolder) static_cast<void>(runtime::hand_to(*user_, folder));
    }
    return runtime::become(*user_, xdp_ != nullptr);
}

Status Run::start() {
    std::vector<std::string> about_rules;
    Status step = look_at_user();
    if (!step.ok()) return step;
    step = rules_.start(about_rules);
    if (!step.ok()) return step;
    for (const std::string& line : about_rules) note(line, config_.live());
    step = look_at_inputs();
    if (!step.ok()) return step;
    // One that stands by has DPDK ready; a card on the bus has one owner at a time.
    const bool stands_by = watched_.beat != nullptr && !live_.devices;
    if (stands_by) step = start_dpdk();
    if (!step.ok()) return step;
    if (stands_by) touch_heap((config_.record_ring_bytes + kWorkerHeapBytes) * config_.workers);
    turn_came_ = watched_.wait_for_turn();
    if (!turn_came_) return {};
    started_ns_ = clock_ns(CLOCK_REALTIME);
    auto outputs = Outputs::open(config_, stands_by);
    if (!outputs) return outputs.error();
    outputs_ = std::move(*outputs);
    for (const std::string& notice : outputs_->notices()) note(notice, true);
    if (!stands_by) step = start_dpdk();
    if (!step.ok()) return step;

    auto wanted = crew_config(config_, outputs_->epoch());
    if (!wanted) return wanted.error();
    wanted->rules = &rules_.reload_point();
    auto crew = config_.live() ? runtime::Crew::for_live(*eal_, *wanted, live_)
                               : runtime::Crew::for_files(*eal_, *wanted, config_.pcap);
    if (!crew) return crew.error();
    crew_ = std::move(*crew);
    step = open_admin();
    if (!step.ok()) return step;

    step = drop_privileges();
    if (!step.ok()) return step;
    runtime::keep_heap_out_of_core_dumps();
    outputs_->attach(*crew_);
    step = crew_->start();
    if (!step.ok()) {
        // Workers that did start end on their own: nothing feeds them.
        crew_->stop();
        eal_->join();
        return step;
    }
    outputs_->start(*crew_);
    // This thread loads rule sets from here on.
    if (config_.live()) eal_->keep_off_workers();
    if (telemetry_) runtime::Telemetry::publish(crew_->snapshot());
    for (const std::string& line : to_say_) say(line);
    exporting::notify("READY=1");
    return {};
}

// Once a second.
void Run::tend(std::int64_t now_ns) {
    exporting::notify("WATCHDOG=1");
    for (const std::string& line : crew_->tend()) say(line);
    const std::string about_rules = rules_.tend(now_ns);
    if (!about_rules.empty()) note(about_rules, false), say(about_rules);
    if (!config_.live()) return;
    const runtime::Snapshot snapshot = crew_->snapshot();
    if (telemetry_) runtime::Telemetry::publish(snapshot);
    const std::string about_sides = directions_.tend(directions_of(snapshot.totals()), now_ns);
    if (!about_sides.empty()) note(about_sides, false), say(about_sides);
}

// Tells the watchdog that every worker has moved since it was told last.
void Run::beat() {
    if (watched_.beat == nullptr) return;
    std::vector<std::uint64_t> now;
    for (const auto& worker : crew_->workers()) now.push_back(worker->heartbeat());
    bool all = heartbeats_.empty() || now.size() == heartbeats_.size();
    for (std::size_t i = 0; i < heartbeats_.size() && all; ++i) all = now[i] != heartbeats_[i];
    if (!all) return;
    heartbeats_ = std::move(now);
    watched_.beat->fetch_add(1, std::memory_order_relaxed);
}

void Run::attend() {
    std::int64_t tended_ns = clock_ns(CLOCK_MONOTONIC);
    while (!crew_->done()) {
        admin_->serve(kTurnMs);
        beat();
        if ((stop_told_ || stop_asked_.load(std::memory_order_relaxed)) && state_ == "running") {
            state_ = "draining";
            exporting::notify("STOPPING=1");
            crew_->stop();
        }
        const std::int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        if (now_ns - tended_ns >= kTendNs) {
            tended_ns = now_ns;
            tend(now_ns);
        }
    }
}

int Run::end() {
    const Status written = outputs_->finish();
    eal_->join();
    static_cast<void>(crew_->tend());  // what the kernel counted last
    state_ = "ended";
    problems_ = crew_->problems();
    if (!written.ok()) problems_.push_back(written.message());
    if (!config_.stats.empty()) {
        const Status stats = write_stats(config_.stats, stats_document(report()));
        if (!stats.ok()) problems_.push_back(stats.message());
    }
    for (const std::string& problem : problems_) say(problem);
    return problems_.empty() ? 0 : 1;
}

Report Run::report() const {
    Report out;
    out.version = version_number();
    out.state = state_;
    out.input = !config_.af_packet.empty() ? "af_packet"
                : !config_.af_xdp.empty()  ? "af_xdp"
                : !config_.port.empty()    ? "port"
                : !config_.inline_pairs.empty() ? "inline"
                                           : "pcap";
    out.started_ns = started_ns_;
    out.now_ns = clock_ns(CLOCK_REALTIME);
    out.epoch = outputs_->epoch();
    out.process = static_cast<std::uint32_t>(getpid());
    out.snapshot = crew_->snapshot();
    if (xdp_ != nullptr) out.xdp = xdp_->counters();
    out.last_minute = directions_.last();
    out.records_exported = outputs_->records();
    out.signatures = rules_.summary();
    out.notices = notices_;
    out.problems = problems_;
    return out;
}

}  // namespace

int run(const Config& config, const std::atomic<bool>& stop_asked) {
    runtime::forbid_core_dumps();
    const auto once = [&](const Watched& watched) {
        Run one(config, stop_asked, watched);
        return one.go();
    };
    if (config.inline_pairs.empty() || !config.watchdog) return once({});
    return supervise(once, stop_asked);
}

}  // namespace seine::app
