#include "tools/bench/line_figures.h"

#include "tools/bench/statistics.h"

namespace seine::bench {

LineFigures figures_of(const LineResult& result) {
    LineFigures out;
    std::uint32_t places = 0;
    for (const SliceTime& slice : result.slices) places = std::max(places, slice.index + 1);
    double packets = 0;
    for (std::uint32_t place = 0; place < places; ++place) {
        std::vector<double> bare, worker, exporter, above;
        double count = 0;
        for (const SliceTime& slice : result.slices) {
            if (slice.index != place) continue;
            bare.push_back(slice.bare_ns);
            worker.push_back(slice.worker_ns);
            exporter.push_back(slice.export_ns);
            above.push_back(slice.worker_ns + slice.export_ns - slice.bare_ns);
            count = slice.packets;
        }
        out.bare_ns += median(bare);
        out.worker_ns += median(worker);
        out.export_ns += median(exporter);
        out.above_ns += median(above);
        packets += count;
        out.rounds = std::max(out.rounds, above.size());
    }
    if (packets == 0) return out;
    out.bare_ns /= packets;
    out.worker_ns /= packets;
    out.export_ns /= packets;
    out.above_ns /= packets;
    std::vector<double> passes;
    double sum = 0;
    for (const SliceTime& slice : result.slices) {
        sum += slice.worker_ns + slice.export_ns - slice.bare_ns;
        if (slice.index + 1 < places) continue;
        passes.push_back(sum);
        sum = 0;
    }
    out.spread = spread(passes);
    return out;
}

}  // namespace seine::bench
