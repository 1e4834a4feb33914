// Where records go, and the thread that carries them there.
#pragma once
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "dataplane/app/config.h"
#include "dataplane/base/byte_ring.h"
#include "dataplane/export/exporter.h"
#include "dataplane/export/frame_sink.h"
#include "dataplane/export/ring_sink.h"
#include "dataplane/runtime/crew.h"

namespace seine::app {

class Outputs {
  public:
    // Opens every target of the config. `in_haste`: packets wait already, so pages of a ring are touched as they
    // are used.
    static Result<std::unique_ptr<Outputs>> open(const Config& config, bool in_haste = false);
    ~Outputs();
    Outputs(const Outputs&) = delete;
    Outputs& operator=(const Outputs&) = delete;

    // The epoch of flow ids: past that of every ring that is carried on.
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
    // What an operator should know: rings carried on, frames an earlier end left unread.
    [[nodiscard]] const std::vector<std::string>& notices() const noexcept { return notices_; }

    // Before the workers start: a ring counts what they make as they make it.
    void attach(const runtime::Crew& crew);
    // Starts the thread; it drains the workers' rings until they are done.
    void start(const runtime::Crew& crew);
    // Waits until the last record is out. The first thing that went wrong with a target, or ok.
    Status finish();
    // Records handed to the targets so far.
    [[nodiscard]] std::uint64_t records() const noexcept {
        return records_.load(std::memory_order_relaxed);
    }

  private:
    Outputs() = default;
    void run(const runtime::Crew& crew);

    std::vector<std::unique_ptr<exporting::FrameSink>> sinks_;
    exporting::RingSink* first_ring_ = nullptr;  // among the sinks
    std::unique_ptr<exporting::Exporter> exporter_;
    std::vector<std::string> notices_;
    std::uint32_t epoch_ = 0;
    std::atomic<std::uint64_t> records_{0};
    Status ended_;
    std::thread thread_;
};

}  // namespace seine::app
