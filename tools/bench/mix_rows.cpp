// The mix: what a packet of edge traffic costs above the bare feed.
#include "tools/bench/rows.h"

namespace seine::bench {
namespace {

constexpr double kTargetCycles = 164;        // 100 Gb/s of the mix at 2.6 GHz
constexpr double kTargetFurtherCycles = 60;  // JA3, wire order and raw forms
constexpr std::size_t kCheckedPackets = 200'000;

}  // namespace

pipeline::InspectorConfig plain_config() {
    pipeline::InspectorConfig config;
    config.ja3 = false;
    config.wire_order = false;
    config.table_seed = 1;
    return config;
}

pipeline::InspectorConfig full_config() {
    pipeline::InspectorConfig config = plain_config();
    config.ja3 = true;
    config.wire_order = true;
    config.raw = true;
    config.limits.record_bytes_max = 1u << 16;
    return config;
}

namespace {

// The worker's time by the part of the line it was in; the exporter has its own row.
void add_stages(Bench& bench, const StageCounts& stages, double worker_ns) {
    double sum = 0;
    for (const std::uint64_t count : stages) sum += static_cast<double>(count);
    for (std::size_t i = 0; i < stages.size() && sum > 0; ++i) {
        const double share = static_cast<double>(stages[i]) / sum;
        bench.report().add({.name = "mix_in_" + std::string(pipeline::kStageNames[i]), .value = bench.cycles(worker_ns) * share,
                            .unit = "cycles/packet", .note = std::to_string(stages[i]) + " of " +
                            std::to_string(static_cast<std::uint64_t>(sum)) + " samples"});
    }
}

}  // namespace

Status mix_rows(Bench& bench) {
    auto arena = bench.mix();
    if (!arena) return arena.error();
    bench.say("checking answers against seine-replay's path");
    const Status same = check_answers(**arena, plain_config(), kCheckedPackets);
    if (!same.ok()) return same;
    StageCounts stages{};
    const auto plain = bench.measure(**arena, plain_config(), "mix", &stages);
    if (!plain) return plain.error();
    Report& report = bench.report();
    const std::string rounds = "n=" + std::to_string(plain->rounds);
    report.add({.name = "floor", .value = bench.cycles(plain->bare_ns), .unit = "cycles/packet",
                .note = "the bare feed, same packets, same run"});
    report.add({.name = "mix", .value = bench.cycles(plain->above_ns), .unit = "cycles/packet above floor",
                .target = kTargetCycles, .baseline = bench.cycles(plain->bare_ns), .spread = plain->spread,
                .note = rounds});
    report.add({.name = "mix_all_in", .value = bench.cycles(plain->total_ns()), .unit = "cycles/packet",
                .baseline = bench.cycles(plain->bare_ns), .spread = plain->spread, .note = "goal 164"});
    report.add({.name = "mix_export", .value = bench.cycles(plain->export_ns), .unit = "cycles/packet",
                .note = "part of mix: the exporter and the ring file"});
    report.add({.name = "mix_gbps", .value = (*arena)->mean_bytes() * 8 / plain->total_ns(), .unit = "Gb/s a core",
                .spread = plain->spread, .note = "floor included, frames of " +
                std::to_string(static_cast<int>((*arena)->mean_bytes())) + " B on average"});
    add_stages(bench, stages, plain->worker_ns);
    report.add({.name = "mix_texts_known", .value = plain->texts_known * 100, .unit = "% of lists",
                .note = "their SHA-256 was remembered"});
    // As 100,000 distinct hellos would be: room for one text, so that nearly every list is hashed and put in.
    pipeline::InspectorConfig forgetful = plain_config();
    forgetful.texts_known = 1;
    const auto fresh = bench.measure(**arena, forgetful, "mix-forgetful");
    if (!fresh) return fresh.error();
    report.add({.name = "mix_all_new", .value = bench.cycles(fresh->above_ns), .unit = "cycles/packet above floor",
                .target = kTargetCycles, .baseline = bench.cycles(fresh->bare_ns), .spread = fresh->spread,
                .note = "the same with " + std::to_string(static_cast<int>(fresh->texts_known * 100)) + " % of lists known"});
    return {};
}

Status forms_rows(Bench& bench) {
    auto arena = bench.mix();
    if (!arena) return arena.error();
    const Status same = check_answers(**arena, full_config(), kCheckedPackets / 2);
    if (!same.ok()) return same;
    const auto plain = bench.measure(**arena, plain_config(), "mix");
    if (!plain) return plain.error();
    const auto full = bench.measure(**arena, full_config(), "mix-all-forms");
    if (!full) return full.error();
    Report& report = bench.report();
    report.add({.name = "mix_all_forms", .value = bench.cycles(full->above_ns - plain->above_ns),
                .unit = "cycles/packet above mix", .target = kTargetFurtherCycles,
                .baseline = bench.cycles(plain->above_ns), .spread = full->spread,
                .note = "JA3, wire order and raw forms"});
    return {};
}

}  // namespace seine::bench
