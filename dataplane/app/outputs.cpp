#include "dataplane/app/outputs.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "dataplane/export/jsonl_sink.h"

namespace seine::app {
namespace {

constexpr std::size_t kFramesAtOnce = 1024;
constexpr auto kNap = std::chrono::microseconds(500);

Nanos steady_now() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return {at.tv_sec * kSecond + at.tv_nsec};
}

std::string cut_off(std::uint64_t lost) {
    return "; its last writer was cut off and lost " + std::to_string(lost) +
           " records that it had made and not yet put in";
}

}  // namespace

Result<std::unique_ptr<Outputs>> Outputs::open(const Config& config, bool in_haste) {
    std::unique_ptr<Outputs> out(new Outputs);
    for (const RecordTarget& target : config.records) {
        if (target.form == RecordForm::jsonl) {
            exporting::JsonlOptions options;
            options.events = config.events;
            // Workers run side by side: only sorted lines are the same in every run.
            options.sorted = !config.live() && config.workers > 1;
            if (config.live()) options.fold.flows_max = std::size_t{1} << 20;
            auto sink = exporting::JsonlSink::open(target.path, options);
            if (!sink) return sink.error();
            out->sinks_.push_back(std::move(*sink));
            continue;
        }
        exporting::RingWriterConfig ring;
        ring.path = target.path;
        ring.data_bytes = config.ring_bytes;
        ring.dataplane_id = static_cast<std::uint16_t>(config.dataplane_id);
        ring.epoch = out->epoch_;
        ring.touch_all = !in_haste;
        auto sink = exporting::RingSink::open(ring);
        if (!sink) return sink.error();
        const exporting::RingWriter& flows = (*sink)->flows();
        out->epoch_ = std::max(out->epoch_, flows.epoch());
        if (!flows.found().set_aside.empty()) {
            out->notices_.push_back(target.path + ": the ring that was there could not be carried on; "
                                    "it is kept as " + flows.found().set_aside);
        } else if (flows.found().carried_on) {
            out->notices_.push_back(target.path + ": carries on with " +
                                    std::to_string(flows.found().unread_frames) + " unread records" +
                                    (flows.found().closed_well ? "" : cut_off(flows.found().lost_in_flight)));
        }
        if (out->first_ring_ == nullptr) out->first_ring_ = sink->get();
        out->sinks_.push_back(std::move(*sink));
    }
    return out;
}

void Outputs::attach(const runtime::Crew& crew) {
    if (first_ring_ == nullptr) return;
    for (const auto& worker : crew.workers())
        worker->records().count_into(first_ring_->flows().made_count(worker->index()));
}

void Outputs::start(const runtime::Crew& crew) {
    std::vector<ByteRing*> rings;
    for (const auto& worker : crew.workers()) rings.push_back(&worker->records());
    std::vector<exporting::FrameSink*> sinks;
    for (const auto& sink : sinks_) sinks.push_back(sink.get());
    exporter_ = std::make_unique<exporting::Exporter>(std::move(rings), std::move(sinks));
    thread_ = std::thread([this, &crew] { run(crew); });
}

void Outputs::run(const runtime::Crew& crew) {
    for (;;) {
        const bool last = crew.done();  // read before draining: nothing follows what is found then
        const std::size_t count = exporter_->drain(steady_now(), kFramesAtOnce);
        records_.store(exporter_->frames(), std::memory_order_relaxed);
        if (count > 0) continue;
        if (last) break;
        std::this_thread::sleep_for(kNap);
    }
    ended_ = exporter_->finish();
    records_.store(exporter_->frames(), std::memory_order_relaxed);
}

Status Outputs::finish() {
    if (thread_.joinable()) thread_.join();
    return ended_;
}

Outputs::~Outputs() {
    if (thread_.joinable()) thread_.join();
    if (exporter_ != nullptr) return;
    // The run ended before it began: rings are left closed, not cut off.
    for (const auto& sink : sinks_) static_cast<void>(sink->finish());
}

}  // namespace seine::app
