// Routes frames to the two rings.
#include "dataplane/export/ring_sink.h"

#include "dataplane/contract/frame.h"

namespace seine::exporting {

Result<std::unique_ptr<RingSink>> RingSink::open(const RingWriterConfig& config) {
    auto flows = RingWriter::open(config);
    if (!flows) return flows.error();
    RingWriterConfig second = config;
    second.path += ".alerts";
    second.data_bytes = kAlertBytes;
    second.epoch = (*flows)->epoch();
    auto alerts = RingWriter::open(second);
    if (!alerts) return alerts.error();
    return std::unique_ptr<RingSink>(new RingSink(std::move(*flows), std::move(*alerts)));
}

void RingSink::take(ByteView frame, unsigned worker) {
    constexpr std::size_t kKindAt = 6;
    const bool finding = frame.size() > kKindAt &&
                         frame[kKindAt] == static_cast<std::uint8_t>(contract::Kind::finding);
    static_cast<void>((finding ? alerts_ : flows_)->write(frame, worker));
    if (finding) flows_->count(worker, RingCounter::frames_to_alerts);
}

Status RingSink::finish() {
    flows_->close();
    alerts_->close();
    return {};
}

}  // namespace seine::exporting
