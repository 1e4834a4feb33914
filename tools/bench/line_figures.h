// From slices to figures: medians by place in the pass, so that a pass of handshakes weighs what it is.
#pragma once
#include "tools/bench/line_run.h"

namespace seine::bench {

// Nanoseconds a packet. Every slice of a pass is a chunk; its median over the passes stands for it, and the
// pass is the sum of its chunks.
struct LineFigures {
    double bare_ns = 0;
    double worker_ns = 0;
    double export_ns = 0;
    double above_ns = 0;         // worker and exporter less the bare feed
    double spread = 0;           // of `above` over whole passes
    std::size_t rounds = 0;      // passes
    double texts_known = 0;      // of lists asked for, how many needed no SHA-256; 0 to 1
    [[nodiscard]] double total_ns() const noexcept { return worker_ns + export_ns; }
};
[[nodiscard]] LineFigures figures_of(const LineResult& result);

}  // namespace seine::bench
