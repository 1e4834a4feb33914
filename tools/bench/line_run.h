// The whole line over an arena, slice by slice, with its floor measured on the same packets in between.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/export/frame_sink.h"
#include "dataplane/pipeline/config.h"
#include "dataplane/runtime/stats.h"
#include "tools/bench/arena.h"
#include "tools/bench/stage_sampler.h"

namespace seine::signature {
struct CompiledRules;
}

namespace seine::bench {

struct LineSetup {
    pipeline::InspectorConfig inspector;
    std::uint32_t slice_packets = 65536;
    unsigned warm_passes = 1;  // tables and pools are touched for the first time there
    unsigned passes = 9;
    bool floor = true;          // measure the bare feed too
    // Flows that are there already: so many passes of this arena go first, outside every clock. They end where
    // the measured arena's time begins.
    Arena* population = nullptr;
    std::uint32_t population_passes = 0;
    // Measured packets belong to the population: each to one of its passes drawn at random, and its sequence
    // number moves on from slice to slice.
    bool settled_data = false;
    const signature::CompiledRules* rules = nullptr;  // matched on the way; nullptr: none
    bool stages = false;  // sample how the worker's time divides; one run at a time in the process
    std::function<void()> between;  // called after each slice, outside every clock
    std::string ring_path;      // records go there; empty: they are dropped after the worker made them
};

// Thread CPU time of one slice.
struct SliceTime {
    std::uint32_t index = 0;  // in its pass
    std::uint32_t packets = 0;
    double bare_ns = 0;
    double worker_ns = 0;
    double export_ns = 0;  // the exporter's share, on the same thread
};

struct LineResult {
    std::vector<SliceTime> slices;  // of the measured passes
    std::vector<runtime::NamedCount> counters;  // over all passes
    std::uint64_t packets = 0;      // measured
    std::uint64_t records = 0;      // exported, all passes
    std::uint64_t record_bytes = 0;
    std::uint64_t resident_bytes = 0;  // what the process took for all this while it ran
    StageCounts stages{};              // samples, of the measured passes
    std::uint64_t flows_live = 0;      // at the end of the last pass
};

// Needs a started EAL. Runs on the calling thread.
Result<LineResult> run_line(Arena& arena, const LineSetup& setup);

// Calls visit(frame) with each record frame of `packet_count` packets, as an inspector tells them that gets one frame a
// call, which is how seine-replay does it.
Status replay(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count,
              const std::function<void(ByteView)>& visit);

// The first `packet_count` packets through the mbuf feed and the worker; `sink` gets every record frame.
Status feed_once(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count,
                 exporting::FrameSink& sink);

// Answers first: `packet_count` packets through the worker and the mbuf feed, and through an inspector that gets
// one frame a call as seine-replay does. Fails, and says where, when the records differ.
Status check_answers(Arena& arena, const pipeline::InspectorConfig& inspector, std::size_t packet_count);

}  // namespace seine::bench
