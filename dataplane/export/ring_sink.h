// Frames into the ring file of control, findings into a second one that flows cannot fill.
#pragma once
#include <memory>

#include "dataplane/export/frame_sink.h"
#include "dataplane/export/ring_file.h"

namespace seine::exporting {

class RingSink final : public FrameSink {
  public:
    // Room for what comes while control is started anew, and while it writes a batch.
    static constexpr std::size_t kAlertBytes = std::size_t{16} << 20;

    // Opens PATH and PATH.alerts.
    static Result<std::unique_ptr<RingSink>> open(const RingWriterConfig& config);

    void take(ByteView frame, unsigned worker) override;
    Status finish() override;

    [[nodiscard]] RingWriter& flows() noexcept { return *flows_; }
    [[nodiscard]] RingWriter& alerts() noexcept { return *alerts_; }

  private:
    RingSink(std::unique_ptr<RingWriter> flows, std::unique_ptr<RingWriter> alerts) noexcept
        : flows_(std::move(flows)), alerts_(std::move(alerts)) {}

    std::unique_ptr<RingWriter> flows_;
    std::unique_ptr<RingWriter> alerts_;
};

}  // namespace seine::exporting
