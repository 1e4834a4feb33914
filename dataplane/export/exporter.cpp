// The merge of the worker rings and its one rule of waiting.
#include "dataplane/export/exporter.h"

#include "dataplane/base/assert.h"
#include "dataplane/contract/frame.h"

namespace seine::exporting {
namespace {

// What frames are ordered by. Workers write sound frames; one that is not goes first and is the
// sinks' to count.
std::int64_t time_of(ByteView frame) noexcept {
    constexpr contract::Slot kAt = contract::slot(contract::Field::t_last_ns);
    if (frame.size() < contract::kFrameHeaderBytes + kAt.offset + 8) return 0;
    return static_cast<std::int64_t>(
        load_le64(frame.data() + contract::kFrameHeaderBytes + kAt.offset));
}

}  // namespace

Exporter::Exporter(std::vector<ByteRing*> rings, std::vector<FrameSink*> sinks,
                   const ExporterConfig& config)
    : rings_(std::move(rings)), sinks_(std::move(sinks)), config_(config), fronts_(rings_.size()) {}

bool Exporter::look(std::size_t ring) {
    Front& front = fronts_[ring];
    if (front.frame.empty()) {
        front.frame = rings_[ring]->front();
        if (!front.frame.empty()) front.time = time_of(front.frame);
    }
    return !front.frame.empty();
}

void Exporter::hand_over(std::size_t ring) {
    for (FrameSink* sink : sinks_) sink->take(fronts_[ring].frame, static_cast<unsigned>(ring));
    fronts_[ring].frame = {};
    rings_[ring]->release();
    ++frames_;
}

std::size_t Exporter::drain(Nanos now, std::size_t frames_max) {
    std::size_t done = 0;
    while (done < frames_max) {
        std::size_t first = rings_.size();
        bool all = true;
        for (std::size_t i = 0; i < rings_.size(); ++i) {
            if (!look(i)) {
                all = false;
            } else if (first == rings_.size() || fronts_[i].time < fronts_[first].time) {
                first = i;
            }
        }
        if (first == rings_.size()) {
            waiting_ = false;
            break;
        }
        if (!all && !waiting_) {
            waiting_ = true;
            waiting_since_ = now;
        }
        if (all) waiting_ = false;
        // Frames wait for quiet workers together and go on together.
        if (!all && !ending_ && now - waiting_since_ < config_.wait_ns_max) break;
        hand_over(first);
        ++done;
    }
    if (done > 0) {
        for (FrameSink* sink : sinks_) sink->flush();
    }
    return done;
}

Status Exporter::finish() {
    ending_ = true;
    while (drain({}, 4096) > 0) {
    }
    Status first;
    for (FrameSink* sink : sinks_) {
        const Status status = sink->finish();
        if (first.ok() && !status.ok()) first = status;
    }
    return first;
}

}  // namespace seine::exporting
