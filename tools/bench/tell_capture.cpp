// Answers of the bench's own feed, to be held against what is expected of a capture.
#include "dataplane/export/jsonl_sink.h"
#include "tools/bench/line_run.h"
#include "tools/bench/rows.h"

namespace seine::bench {

Status tell_capture(const Options& options) {
    Status cut;
    auto arena = arena_of_capture(options.feed, options.packets, &cut);
    if (!arena) return arena.error();
    auto sink = exporting::JsonlSink::open(options.output, {.events = false, .sorted = true, .fold = {}});
    if (!sink) return sink.error();
    pipeline::InspectorConfig config = full_config();
    config.records_all = true;  // as seine-dataplane tells captures: every flow, and nobody floods a file
    config.limits.half_open_ns = pipeline::Limits::kHalfOpenOfFilesNs;
    config.limits.record_bytes_max = 1u << 18;  // raw forms are long
    const Status fed = feed_once(**arena, config, (*arena)->size(), **sink);
    const Status told = fed.ok() ? (*sink)->finish() : fed;
    return told.ok() ? cut : told;
}

}  // namespace seine::bench
