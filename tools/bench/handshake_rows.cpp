// What a core does in a second where every packet is a handshake or a head.
#include "tools/bench/rows.h"

namespace seine::bench {
namespace {

constexpr std::size_t kCheckedPackets = 50'000;

struct Kind {
    generate::MixKind kind;
    std::uint64_t packets;
    const char* name;
    const char* unit;
    double target_millions;
    const char* note;
    // Items of one pass by what the generator makes.
    double (*items)(const Arena& arena);
};

// Every handshake is one flow. A connection of the HTTP rows has 100 heads.
constexpr Kind kKinds[] = {
    {generate::MixKind::handshakes, 600'000, "client_hellos", "M/core-second", 0.6,
     "SYN to FIN around each hello counted in; goal 1.0", [](const Arena& arena) { return static_cast<double>(arena.flows()); }},
    {generate::MixKind::quic, 200'000, "quic_initials", "M/core-second", 0.5,
     "client Initials; the server's is opened too and counted in; goal 0.8",
     [](const Arena& arena) { return static_cast<double>(arena.flows()); }},
    {generate::MixKind::http, 400'000, "http1_heads", "M/core-second", 1.0,
     "request heads of 500 B; answers and ACKs counted in; goal 1.5",
     [](const Arena& arena) { return static_cast<double>(arena.flows()) * 100; }},
};

// The same as if hellos never came again: room for a pair of texts, so that nearly every list is hashed and put in.
Status all_new_row(Bench& bench, Arena& arena, double items, double texts_known) {
    bench.report().add({.name = "client_hellos_texts_known", .value = texts_known * 100, .unit = "% of lists",
                        .note = "their SHA-256 was remembered"});
    pipeline::InspectorConfig forgetful = plain_config();
    forgetful.texts_known = 1;
    const auto figures = bench.measure(arena, forgetful, "client-hellos-forgetful");
    if (!figures) return figures.error();
    const double pass_ns = figures->total_ns() * static_cast<double>(arena.size());
    bench.report().add({.name = "client_hellos_all_new", .value = items / pass_ns * 1e3, .unit = "M/core-second",
                        .target = 0.6, .bound = Bound::at_least, .spread = figures->spread,
                        .note = "the same with " + std::to_string(static_cast<int>(figures->texts_known * 100)) +
                                " % of lists known, as distinct hellos would be"});
    return {};
}

}  // namespace

Status handshake_rows(Bench& bench) {
    for (const Kind& kind : kKinds) {
        auto arena = bench.arena(kind.kind, bench.options().quick ? kind.packets / 20 : kind.packets);
        if (!arena) return arena.error();
        const Status same = check_answers(**arena, plain_config(), kCheckedPackets);
        if (!same.ok()) return same;
        const auto figures = bench.measure(**arena, plain_config(), kind.name);
        if (!figures) return figures.error();
        const double pass_ns = figures->total_ns() * static_cast<double>((*arena)->size());
        bench.report().add({.name = kind.name, .value = kind.items(**arena) / pass_ns * 1e3, .unit = kind.unit,
                            .target = kind.target_millions, .bound = Bound::at_least, .spread = figures->spread,
                            .note = kind.note});
        bench.report().add({.name = std::string(kind.name) + "_packet", .value = bench.cycles(figures->above_ns),
                            .unit = "cycles/packet above floor", .baseline = bench.cycles(figures->bare_ns),
                            .spread = figures->spread});
        if (kind.kind != generate::MixKind::handshakes) continue;
        const Status fresh = all_new_row(bench, **arena, kind.items(**arena), figures->texts_known);
        if (!fresh.ok()) return fresh;
    }
    return {};
}

}  // namespace seine::bench
