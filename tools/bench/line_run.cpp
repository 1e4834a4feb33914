#include "tools/bench/line_run.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "dataplane/base/hash.h"
#include "dataplane/export/exporter.h"
#include "dataplane/export/ring_reader.h"
#include "dataplane/export/ring_sink.h"
#include "dataplane/runtime/reload.h"
#include "dataplane/runtime/worker.h"

namespace seine::bench {
namespace {

constexpr std::size_t kRecordRingBytes = std::size_t{64} << 20;
constexpr std::size_t kFramesAtOnce = 4096;
constexpr std::size_t kRingFileBytes = std::size_t{128} << 20;

double thread_ns() noexcept {
    timespec at{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

// For parts of a thread's time: asking for that itself costs a call into the kernel.
double wall_ns() noexcept {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    file >> total >> resident;
    return resident * 4096;
}

// Counts what it is given; keeps it when asked to.
class Tally final : public exporting::FrameSink {
  public:
    explicit Tally(bool keep) : keep_(keep) {}
    void take(ByteView frame, unsigned) override {
        ++frames;
        bytes += frame.size();
        if (keep_) kept.emplace_back(as_text(frame));
    }
    Status finish() override { return {}; }
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> kept;

  private:
    bool keep_;
};

// Where one run stands; called by the feed between slices.
class Rounds final : public runtime::BenchFeed::Turn {
  public:
    Rounds(Arena& arena, const LineSetup& setup, std::size_t packet_limit)
        : arena_(arena), setup_(setup), limit_(std::min(packet_limit, arena.size())) {
        frames_.resize(setup.slice_packets);
    }
    void attach(exporting::Exporter& exporter, exporting::RingReader* reader) {
        exporter_ = &exporter;
        reader_ = reader;
    }

    bool next(runtime::BenchFeed& feed) override {
        if (running_) {
            close_slice();
            if (setup_.between) setup_.between();
        }
        if (populated_ < setup_.population_passes) return populate(feed);
        if (first_ >= limit_) {
            first_ = 0;
            index_ = 0;
            if (++pass_ == setup_.warm_passes + setup_.passes) {
                if (at_end) at_end();
                return false;
            }
        }
        const std::size_t count = std::min<std::size_t>(setup_.slice_packets, limit_ - first_);
        current_ = {.index = index_++, .packets = static_cast<std::uint32_t>(count)};
        const auto frames = std::span(frames_).first(count);
        if (setup_.floor) {
            render(frames);
            feed.load(frames);
            const double started = thread_ns();
            bare_sum_ = bare_sum_ + feed.drain_bare();
            current_.bare_ns = thread_ns() - started;
        }
        render(frames);
        feed.load(frames);
        first_ += count;
        ++slice_;
        running_ = true;
        if (sampler != nullptr && pass_ >= setup_.warm_passes) sampler->on();
        started_ = thread_ns();
        return true;
    }
    // The exporter's thread runs beside the worker's: so it does here, in turns.
    void breathe() override {
        if (!running_) return;
        if (sampler != nullptr) sampler->off();
        const double from = wall_ns();
        drain();
        current_.export_ns += wall_ns() - from;
        if (sampler != nullptr && pass_ >= setup_.warm_passes) sampler->on();
    }
    void close_slice() {
        breathe();
        current_.worker_ns = std::max(thread_ns() - started_ - current_.export_ns, 0.0);
        if (sampler != nullptr) sampler->off();
        running_ = false;
        empty_ring();
        if (pass_ >= setup_.warm_passes) slices.push_back(current_);
    }
    void drain() {
        while (exporter_->drain({}, kFramesAtOnce) > 0) {
        }
    }

    std::vector<SliceTime> slices;
    StageSampler* sampler = nullptr;
    std::function<void()> at_end;  // before the flows that are left are closed

  private:
    bool populate(runtime::BenchFeed& feed) {
        Arena& crowd = *setup_.population;
        drain();
        empty_ring();
        if (populated_ == 0 && crowd_at_ == 0)
            crowd.shift_time(arena_.first_time().count - crowd.first_time().count -
                             static_cast<std::int64_t>(setup_.population_passes + 2) * crowd.pass_ns());
        const std::size_t count = std::min<std::size_t>(setup_.slice_packets, crowd.size() - crowd_at_);
        const auto frames = std::span(frames_).first(count);
        crowd.render(crowd_at_, populated_ + 1, frames);
        feed.load(frames);
        crowd_at_ += count;
        if (crowd_at_ == crowd.size()) {
            crowd_at_ = 0;
            ++populated_;
        }
        return true;
    }
    void render(std::span<runtime::BenchFrame> frames) {
        if (!setup_.settled_data) return arena_.render(first_, pass_, frames);
        constexpr std::int64_t kSliceNs = 10 * kMillisecond;
        constexpr std::uint32_t kSegmentBytes = 1448;
        owners_.resize(frames.size());
        for (std::size_t i = 0; i < owners_.size(); ++i) {
            const std::uint64_t drawn = mix64(i + 0x9e3779b97f4a7c15u, slice_ + 0xd6e8feb86659fd93u);
            owners_[i] = 1 + static_cast<std::uint32_t>(drawn % setup_.population_passes);
        }
        const Nanos start = arena_.first_time() + static_cast<std::int64_t>(slice_) * kSliceNs;
        arena_.render_data(first_, owners_, (slice_ + 1) * kSegmentBytes, start, frames);
    }
    // The part of the control daemon: reads what the exporter wrote, outside the clock.
    void empty_ring() {
        if (reader_ == nullptr) return;
        exporting::RingEntry entry;
        while (reader_->next(entry) == Parse::ok) {
        }
        reader_->commit();
    }

    Arena& arena_;
    const LineSetup& setup_;
    std::size_t limit_;
    exporting::Exporter* exporter_ = nullptr;
    exporting::RingReader* reader_ = nullptr;
    std::vector<runtime::BenchFrame> frames_;
    SliceTime current_;
    std::size_t first_ = 0;
    std::uint32_t pass_ = 0;
    std::uint32_t index_ = 0;
    std::uint32_t slice_ = 0;
    std::uint32_t populated_ = 0;  // passes of the population
    std::size_t crowd_at_ = 0;
    std::vector<std::uint32_t> owners_;
    bool running_ = false;
    double started_ = 0;
    volatile std::uint64_t bare_sum_ = 0;
};

struct RingEnds {
    std::unique_ptr<exporting::RingSink> sink;
    std::unique_ptr<exporting::RingReader> reader;
};

Result<RingEnds> open_ring(const std::string& path) {
    RingEnds ends;
    if (path.empty()) return ends;
    auto sink = exporting::RingSink::open({.path = path, .data_bytes = kRingFileBytes});
    if (!sink) return sink.error();
    ends.sink = std::move(*sink);
    auto reader = exporting::RingReader::open(path);
    if (!reader) return reader.error();
    ends.reader = std::move(*reader);
    return ends;
}

// Frames as strings, in an order that no burst and no clock decides.
std::vector<std::string> in_order(std::vector<std::string> frames) {
    std::sort(frames.begin(), frames.end());
    return frames;
}

}  // namespace

Status replay(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count,
              const std::function<void(ByteView)>& visit) {
    ByteRing ring(kRecordRingBytes);
    auto made = pipeline::Inspector::make(inspector, ring);
    if (!made) return made.error();
    const auto drain = [&] {
        for (ByteView frame = ring.front(); !frame.empty(); frame = ring.front()) {
            visit(frame);
            ring.release();
        }
    };
    std::vector<runtime::BenchFrame> frames(std::min(packet_count, arena.size()));
    arena.render(0, 0, frames);
    for (const runtime::BenchFrame& one : frames) {
        const pipeline::Frame frame = {{one.bytes, one.length}, one.meta.wire_bytes, one.meta.link, one.meta.time};
        (*made)->inspect({&frame, 1});
        drain();
    }
    while (!(*made)->finish(64)) drain();
    drain();
    return {};
}

Status feed_once(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count,
                 exporting::FrameSink& sink) {
    LineSetup setup;
    setup.inspector = inspector;
    setup.warm_passes = 0;
    setup.passes = 1;
    setup.floor = false;
    Rounds rounds(arena, setup, packet_count);
    auto feed = runtime::BenchFeed::make(rounds);
    if (!feed) return feed.error();
    auto worker = runtime::Worker::make(
        {.index = 0, .inspector = inspector, .record_ring_bytes = kRecordRingBytes, .lossless = false});
    if (!worker) return worker.error();
    exporting::Exporter exporter({&(*worker)->records()}, {&sink}, {.wait_ns_max = 0});
    rounds.attach(exporter, nullptr);
    (*worker)->run(**feed);
    rounds.drain();
    return {};
}

Result<LineResult> run_line(Arena& arena, const LineSetup& setup) {
    const std::uint64_t resident_before = resident_bytes();
    LineResult out;
    Rounds rounds(arena, setup, arena.size());
    auto feed = runtime::BenchFeed::make(rounds);
    if (!feed) return feed.error();
    runtime::Reload reload(1);
    if (setup.rules != nullptr) {
        auto rules = signature::Generation::make(*setup.rules, {});
        if (!rules) return rules.error();
        reload.publish(std::move(*rules));
    }
    auto worker = runtime::Worker::make({.index = 0,
                                         .inspector = setup.inspector,
                                         .record_ring_bytes = kRecordRingBytes,
                                         .lossless = false,
                                         .rules = &reload});
    if (!worker) return worker.error();
    auto ring = open_ring(setup.ring_path);
    if (!ring) return ring.error();
    Tally tally(false);
    std::vector<exporting::FrameSink*> sinks = {&tally};
    if (ring->sink != nullptr) sinks.push_back(ring->sink.get());
    exporting::Exporter exporter({&(*worker)->records()}, sinks, {.wait_ns_max = 0});
    rounds.attach(exporter, ring->reader.get());
    std::optional<StageSampler> sampler;
    if (setup.stages) rounds.sampler = &sampler.emplace((*worker)->stage());
    rounds.at_end = [&] {
        out.resident_bytes = resident_bytes() - std::min(resident_before, resident_bytes());
        out.flows_live = (*worker)->snapshot().flows_live;
    };
    (*worker)->run(**feed);
    rounds.drain();
    if (sampler) out.stages = sampler->counts();
    out.slices = std::move(rounds.slices);
    out.counters = (*worker)->snapshot().counters;
    out.records = tally.frames;
    out.record_bytes = tally.bytes;
    for (const SliceTime& slice : out.slices) out.packets += slice.packets;
    return out;
}

Status check_answers(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count) {
    std::vector<std::string> replayed;
    Status failure = replay(arena, inspector, packet_count, [&](ByteView frame) { replayed.emplace_back(as_text(frame)); });
    if (!failure.ok()) return failure;
    replayed = in_order(std::move(replayed));
    Tally tally(true);
    failure = feed_once(arena, inspector, packet_count, tally);
    if (!failure.ok()) return failure;
    const auto worked = in_order(std::move(tally.kept));
    if (replayed == worked) return {};
    std::size_t at = 0;
    while (at < std::min(replayed.size(), worked.size()) && replayed[at] == worked[at]) ++at;
    return failed("answers differ: seine-replay's path makes " + std::to_string(replayed.size()) +
                  " records, the worker " + std::to_string(worked.size()) + "; sorted record " +
                  std::to_string(at) + " is the first that differs");
}

}  // namespace seine::bench
