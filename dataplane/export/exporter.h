// Drains the worker rings in time order and hands each frame to every sink.
#pragma once
#include <cstdint>
#include <vector>

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/clock.h"
#include "dataplane/export/frame_sink.h"

namespace seine::exporting {

struct ExporterConfig {
    // How long the frames of busy workers wait for a worker whose ring is empty. Past it they go on
    // without; order across workers is then best effort.
    std::int64_t wait_ns_max = 10 * kMillisecond;
};

// One thread owns it and is the consumer of every ring. Rings and sinks must outlive it.
class Exporter {
  public:
    Exporter(std::vector<ByteRing*> rings, std::vector<FrameSink*> sinks,
             const ExporterConfig& config = {});

    // Hands over at most `frames_max` frames, the one with the smallest t_last_ns among the rings'
    // fronts first. `now` is the caller's clock, used for the waiting alone. Returns how many; 0
    // means there is nothing to do now.
    std::size_t drain(Nanos now, std::size_t frames_max);
    // No worker writes any more: hands over all that is left, what waited for a quiet worker
    // included, and finishes the sinks. The first error of a sink, or ok.
    Status finish();

    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

  private:
    struct Front {
        ByteView frame;  // empty: none known
        std::int64_t time = 0;
    };
    bool look(std::size_t ring);
    void hand_over(std::size_t ring);

    std::vector<ByteRing*> rings_;
    std::vector<FrameSink*> sinks_;
    ExporterConfig config_;
    std::vector<Front> fronts_;
    bool waiting_ = false;
    bool ending_ = false;  // nothing more comes: nobody is waited for
    Nanos waiting_since_;
    std::uint64_t frames_ = 0;
};

}  // namespace seine::exporting
