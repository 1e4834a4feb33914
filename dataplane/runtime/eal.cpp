#include "dataplane/runtime/eal.h"

#include <dirent.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "dataplane/runtime/core_dump.h"
#include "dataplane/runtime/dpdk_log.h"

namespace seine::runtime {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr unsigned kCpusMax = 128;  // what Debian's DPDK was built for

bool given(const std::vector<std::string>& values, std::initializer_list<std::string_view> names) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
        return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
            if (value == name) return true;
            const bool is_long = name.starts_with("--");
            return value.starts_with(name) && (!is_long || value[name.size()] == '=');
        });
    });
}

std::size_t read_number(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) return 0;
    unsigned long long number = 0;
    const int got = std::fscanf(file, "%llu", &number);
    std::fclose(file);
    return got == 1 ? static_cast<std::size_t>(number) : 0;
}

std::vector<unsigned> usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<unsigned> cpus;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (unsigned cpu = 0; cpu < kCpusMax; ++cpu) {
            if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
        }
    }
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

// Main thread anywhere; slot i is logical core i + 1, pinned to one processor. The slots begin with the
// second processor: the first one is where the kernel and the main thread tend to be busy.
std::string lcore_map(unsigned slots, const std::vector<unsigned>& cpus) {
    std::string map = "0@(";
    for (std::size_t i = 0; i < cpus.size(); ++i) {
        if (i > 0) map += ',';
        map += std::to_string(cpus[i]);
    }
    map += ')';
    for (unsigned slot = 0; slot < slots; ++slot) {
        map += ',' + std::to_string(slot + 1) + '@' + std::to_string(cpus[(slot + 1) % cpus.size()]);
    }
    return map;
}

void add_memory(const EalPlan& plan, std::size_t huge_bytes_free, bool amount_given,
                EalArguments& out) {
    auto& values = out.values;
    if (plan.huge_pages && huge_bytes_free >= plan.memory_bytes) {
        values.emplace_back("--in-memory");
        if (!plan.telemetry) values.emplace_back("--no-telemetry");
        return;
    }
    const std::size_t megabytes = (plan.memory_bytes + kMebibyte - 1) / kMebibyte;
    values.insert(values.end(), {"--no-huge", "--no-shconf"});
    if (!plan.telemetry) values.emplace_back("--no-telemetry");
    if (!amount_given) values.insert(values.end(), {"-m", std::to_string(megabytes)});
    if (!plan.huge_pages) return;
    const std::size_t pages = (plan.memory_bytes + 2 * kMebibyte - 1) / (2 * kMebibyte) + 8;
    out.notice = "no huge pages free (" + std::to_string(huge_bytes_free / kMebibyte) + " of " +
                 std::to_string(megabytes) + " MiB): running on ordinary pages, which is slower; get "
                 "them with: sysctl -w vm.nr_hugepages=" + std::to_string(pages);
}

std::atomic<bool> eal_started{false};

Status refusal(const EalPlan& plan, const std::string& printed, int error) {
    std::string why = error_line(printed);
    if (why.empty()) why = first_dpdk_error();
    if (why.empty()) why = std::strerror(error);
    std::string remedy;
    if (!plan.extra_args.empty()) {
        remedy = "check --eal \"" + plan.extra_args + "\"";
    } else if (why.find("ugepage") != std::string::npos || why.find("emory") != std::string::npos) {
        remedy = "free some memory, or set vm.nr_hugepages";
    } else if (why.find("ermission") != std::string::npos) {
        remedy = "run as root, or give the binary cap_net_raw and cap_net_admin";
    } else {
        remedy = "see docs/operations.md, or pass --eal \"--log-level=8\" to hear all DPDK says";
    }
    return failed("DPDK does not start: " + why + "; " + remedy);
}

}  // namespace

std::string dpdk_version() { return rte_version(); }

std::size_t free_huge_bytes() {
    static constexpr char kRoot[] = "/sys/kernel/mm/hugepages";
    std::size_t total = 0;
    DIR* folder = opendir(kRoot);
    if (folder == nullptr) return 0;
    while (const dirent* entry = readdir(folder)) {
        unsigned long kilobytes = 0;
        if (std::sscanf(entry->d_name, "hugepages-%lukB", &kilobytes) != 1) continue;
        total += read_number(std::string(kRoot) + '/' + entry->d_name + "/free_hugepages") * kilobytes *
                 1024;
    }
    closedir(folder);
    return total;
}

Result<std::vector<std::string>> split_arguments(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            word += text[++i];
            in_word = true;
        } else if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '"' || c == '\'') {
            quote = c;
            in_word = true;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (in_word) words.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) return Status(Code::usage, "--eal: a quote is not closed in: " + text);
    if (in_word) words.push_back(std::move(word));
    return words;
}

Result<EalArguments> plan_arguments(const EalPlan& plan, const std::vector<unsigned>& cpus,
                                    std::size_t huge_bytes_free) {
    auto extra = split_arguments(plan.extra_args);
    if (!extra) return extra.error();
    EalArguments out;
    if (!given(*extra, {"-l", "-c", "--lcores", "-s", "-S"})) {
        out.values.insert(out.values.end(), {"--lcores", lcore_map(plan.slots, cpus)});
        out.values.emplace_back("--main-lcore=0");
    }
    if (!given(*extra, {"--no-huge", "--in-memory", "--huge-dir", "--legacy-mem", "--socket-mem",
                        "--file-prefix", "--huge-unlink", "--single-file-segments", "--proc-type"})) {
        add_memory(plan, huge_bytes_free, given(*extra, {"-m"}), out);
    }
    if (!plan.devices && !given(*extra, {"-a", "--allow", "-b", "--block", "--no-pci"})) {
        out.values.insert(out.values.end(), {"--no-pci"});
        if (!given(*extra, {"--iova-mode"})) out.values.emplace_back("--iova-mode=va");
    }
    out.values.insert(out.values.end(), extra->begin(), extra->end());
    return out;
}

Result<Eal> Eal::start(const EalPlan& plan) {
    if (eal_started.exchange(true)) return failed("DPDK was started before in this process");
    auto arguments = plan_arguments(plan, usable_cpus(), free_huge_bytes());
    if (!arguments) return arguments.error();

    std::vector<std::string> words = arguments->values;
    words.insert(words.begin(), plan.program);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);

    // Who asks for a log level wants to read the log.
    const bool talkative = given(words, {"--log-level"});
    int started = 0;
    std::string printed;
    if (talkative) {
        started = rte_eal_init(static_cast<int>(words.size()), pointers.data());
    } else {
        capture_dpdk_log();
        TerminalSilence silence;
        started = rte_eal_init(static_cast<int>(words.size()), pointers.data());
        printed = silence.end();
    }
    if (started < 0) return refusal(plan, printed, rte_errno);
    clear_dpdk_log();

    Eal eal;
    eal.notice_ = arguments->notice;
    unsigned lcore = 0;
    RTE_LCORE_FOREACH_WORKER(lcore) {
        eal.slots_.push_back(std::make_unique<Slot>());
        eal.slots_.back()->lcore = lcore;
    }
    if (eal.slots_.size() < plan.slots) {
        return failed("--eal gives DPDK " + std::to_string(eal.slots_.size() + 1) + " cores, but " +
                      std::to_string(plan.slots + 1) +
                      " are needed (one for the main thread): name more with -l, or leave -l away");
    }
    keep_dpdk_memory_out_of_core_dumps();
    return eal;
}

Eal::Eal(Eal&& other) noexcept
    : owner_(other.owner_), notice_(std::move(other.notice_)), slots_(std::move(other.slots_)) {
    other.owner_ = false;
}

Eal::~Eal() {
    if (!owner_) return;
    join();
    static_cast<void>(rte_eal_cleanup());
}

unsigned Eal::slot_count() const noexcept { return static_cast<unsigned>(slots_.size()); }

int Eal::slot_socket(unsigned slot) const noexcept {
    return static_cast<int>(rte_lcore_to_socket_id(slots_[slot]->lcore));
}

int Eal::run_slot(void* slot) {
    Slot& self = *static_cast<Slot*>(slot);
    static_cast<void>(self.running.load(std::memory_order_acquire));
    const int answer = self.body(self.argument);
    self.running.store(false, std::memory_order_release);
    return answer;
}

Status Eal::launch(unsigned slot, int (*body)(void*), void* argument) noexcept {
    if (slot >= slots_.size()) return failed("no core is left for worker " + std::to_string(slot));
    Slot& self = *slots_[slot];
    if (rte_eal_get_lcore_state(self.lcore) != WAIT) {
        return failed("core " + std::to_string(self.lcore) + " is busy with another worker");
    }
    self.body = body;
    self.argument = argument;
    self.running.store(true, std::memory_order_release);
    if (rte_eal_remote_launch(run_slot, &self, self.lcore) != 0) {
        return failed("core " + std::to_string(self.lcore) + " does not start");
    }
    return {};
}

void Eal::keep_off_workers() const noexcept {
    cpu_set_t left;
    if (sched_getaffinity(0, sizeof left, &left) != 0) return;
    for (const auto& slot : slots_) {
        const rte_cpuset_t taken = rte_lcore_cpuset(slot->lcore);
        for (unsigned cpu = 0; cpu < kCpusMax; ++cpu)
            if (CPU_ISSET(cpu, &taken)) CPU_CLR(cpu, &left);
    }
    if (CPU_COUNT(&left) > 0) static_cast<void>(sched_setaffinity(0, sizeof left, &left));
}

void Eal::join() noexcept {
    for (const auto& slot : slots_) {
        static_cast<void>(rte_eal_wait_lcore(slot->lcore));
        static_cast<void>(slot->running.load(std::memory_order_acquire));
    }
}

}  // namespace seine::runtime
