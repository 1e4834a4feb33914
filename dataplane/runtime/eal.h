// DPDK's environment: started once a process, memory and cores planned, refusals told in one line.
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::runtime {

struct EalPlan {
    std::string program = "seine-dataplane";
    std::size_t memory_bytes = std::size_t{128} << 20;  // what pools and rings will ask for
    unsigned slots = 1;       // threads that touch packets: workers, and the receiver of a file
    bool devices = false;     // look for PCI devices; only --port needs them
    bool telemetry = false;   // DPDK's telemetry socket, in its run folder
    bool huge_pages = true;   // false: do not even look for them
    std::string extra_args;   // --eal "ARGS", appended last so that DPDK lets them win
};

// "DPDK 22.11.x", the library this process runs with.
[[nodiscard]] std::string dpdk_version();

// Free huge page memory of this machine in bytes, all sizes together.
[[nodiscard]] std::size_t free_huge_bytes();

// Splits --eal "ARGS" as a shell would, quotes and backslashes included.
// usage: a quote that is never closed.
Result<std::vector<std::string>> split_arguments(const std::string& text);

// The arguments that DPDK gets; pure, so that the plan can be tested and printed.
// `cpus` are the processors this process may use; slots share them in turn when they are fewer.
struct EalArguments {
    std::vector<std::string> values;  // without the program name
    std::string notice;               // one line for the operator, or empty
};
Result<EalArguments> plan_arguments(const EalPlan& plan, const std::vector<unsigned>& cpus,
                                    std::size_t huge_bytes_free);

// One per process, ever: DPDK cannot be started a second time. The thread that starts it becomes the
// main thread and runs no packets.
class Eal {
  public:
    // failed: DPDK refused; the message says why and what to do.
    static Result<Eal> start(const EalPlan& plan);
    Eal(Eal&& other) noexcept;
    Eal& operator=(Eal&&) = delete;
    ~Eal();

    // Something the operator should know (no huge pages, shared processors), or empty.
    [[nodiscard]] const std::string& notice() const noexcept { return notice_; }
    [[nodiscard]] unsigned slot_count() const noexcept;
    [[nodiscard]] int slot_socket(unsigned slot) const noexcept;  // NUMA node
    // Runs body(argument) on the thread of that slot; a slot runs one body at a time.
    Status launch(unsigned slot, int (*body)(void*), void* argument) noexcept;
    // The calling thread runs on processors that no slot is pinned to, as long as there are any.
    void keep_off_workers() const noexcept;
    // Waits for every slot to return.
    void join() noexcept;

  private:
    Eal() = default;
    bool owner_ = true;
    std::string notice_;
    // What a slot runs. The flag orders its memory with ours: ThreadSanitizer does not see how DPDK's
    // own threads start and end.
    struct Slot {
        unsigned lcore = 0;
        int (*body)(void*) = nullptr;
        void* argument = nullptr;
        std::atomic<bool> running{false};
    };
    static int run_slot(void* slot);
    std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace seine::runtime
