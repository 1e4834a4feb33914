// How the line's time divides: the worker's stage byte, read at a timer of its own CPU time.
#pragma once
#include <array>
#include <cstdint>

#include "dataplane/pipeline/stage_mark.h"

namespace seine::bench {

using StageCounts = std::array<std::uint64_t, static_cast<std::size_t>(pipeline::Stage::count_)>;

// One at a time in the process, made and destroyed on the thread that it watches. Samples are taken while it is
// on; the kernel's tick bounds their rate to some hundreds a CPU second, so it changes nothing that it measures.
class StageSampler {
  public:
    explicit StageSampler(const pipeline::StageCell& cell) noexcept;
    ~StageSampler();
    StageSampler(const StageSampler&) = delete;
    StageSampler& operator=(const StageSampler&) = delete;

    void on() noexcept;
    void off() noexcept;
    [[nodiscard]] StageCounts counts() const noexcept;
};

}  // namespace seine::bench
