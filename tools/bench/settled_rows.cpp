// Flows that have told what they had: what one packet of them costs among a million, and what ten million take.
#include "dataplane/flow/flow_table.h"
#include "dataplane/pipeline/flow_state.h"
#include "tools/bench/rows.h"
#include "tools/bench/statistics.h"

namespace seine::bench {
namespace {

constexpr std::uint32_t kCrowdFlows = 8192;  // of one pass of the population
constexpr std::uint64_t kCrowdPackets = kCrowdFlows * 8;
constexpr unsigned kCopies = 8;              // data packets of each in a slice

std::uint32_t passes_for(std::uint64_t flows, const Arena& crowd) {
    return static_cast<std::uint32_t>((flows + crowd.flows() - 1) / std::max<std::uint64_t>(crowd.flows(), 1));
}

std::uint64_t count_of(const LineResult& result, const std::string& name) {
    for (const auto& counter : result.counters)
        if (counter.name == name) return counter.value;
    return 0;
}

pipeline::InspectorConfig config_for(std::uint64_t flows) {
    pipeline::InspectorConfig config = plain_config();
    config.limits.flows_max = static_cast<std::uint32_t>(flows + flows / 16 + (1u << 17));
    return config;
}

// Lookups alone, as the inspector makes them: index and entry asked for ahead over a burst.
double lookup_ns(std::uint32_t flows, double& spread_out) {
    auto made = flow::FlowTable<pipeline::FlowHot>::make(flows, 1);
    if (!made) return 0;
    auto& table = **made;
    const auto key_of = [](std::uint64_t i) {
        const std::uint64_t low = mix64(i + 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u);
        return flow::make_key({{0, low | 0xffff0000}, 443}, {{0, 0x0a0b0c0dffff0000}, static_cast<std::uint16_t>(i)}, 6).key;
    };
    for (std::uint32_t i = 0; i < flows; ++i)
        static_cast<void>(table.insert(key_of(i), table.hash(key_of(i)), 0, [](flow::FlowId) {}));
    constexpr unsigned kBurst = 64;
    std::vector<double> rounds;
    std::uint64_t drawn = 1;
    std::uint64_t found = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<flow::FlowKey> keys(kBurst * 32);
        for (flow::FlowKey& key : keys) {
            drawn = mix64(drawn + 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu);
            key = key_of(drawn % flows);
        }
        const std::uint64_t started = __builtin_ia32_rdtsc();
        for (std::size_t first = 0; first < keys.size(); first += kBurst) {
            std::uint64_t hashes[kBurst];
            flow::FlowId guesses[kBurst];
            for (unsigned i = 0; i < kBurst; ++i) table.prefetch_index(hashes[i] = table.hash(keys[first + i]));
            for (unsigned i = 0; i < kBurst; ++i) guesses[i] = table.prefetch_entry(hashes[i]);
            for (unsigned i = 0; i < kBurst; ++i) {
                const flow::FlowId id = table.confirm(keys[first + i], guesses[i]);
                if (id != flow::kNoFlow) found += ++table[id].packets[0] > 0 ? 1 : 0;
            }
        }
        rounds.push_back(static_cast<double>(__builtin_ia32_rdtsc() - started) / static_cast<double>(keys.size()));
    }
    spread_out = spread(rounds);
    return found > 0 ? median(rounds) : 0;
}

Result<LineResult> settled_run(Bench& bench, Arena& crowd, std::uint64_t flows) {
    Arena data;
    const Status reserved = data.reserve(std::size_t{64} << 20);
    if (!reserved.ok()) return reserved;
    crowd.data_of_flows(data, kCopies);
    LineSetup setup;
    setup.inspector = config_for(flows);
    setup.slice_packets = static_cast<std::uint32_t>(data.size());
    setup.passes = bench.options().passes * 6;
    setup.population = &crowd;
    setup.population_passes = passes_for(flows, crowd);
    setup.settled_data = true;
    return run_line(data, setup);
}

}  // namespace

Status settled_rows(Bench& bench) {
    const std::uint64_t flows = bench.options().quick ? 50'000 : 1'000'000;
    auto crowd = bench.arena(generate::MixKind::settled, kCrowdPackets);
    if (!crowd) return crowd.error();
    bench.say("settled: opening " + std::to_string(flows) + " flows");
    const auto result = settled_run(bench, **crowd, flows);
    if (!result) return result.error();
    const std::uint64_t settled = count_of(*result, "packets_settled");
    // A few of the population may still wait for a round trip to be measured.
    if (settled * 100 < result->packets * 98)
        return failed("only " + std::to_string(settled) + " of " + std::to_string(result->packets) +
                      " measured packets were of settled flows");
    const LineFigures figures = figures_of(*result);
    Report& report = bench.report();
    report.add({.name = "settled_packet", .value = bench.cycles(figures.above_ns), .unit = "cycles/packet above floor",
                .target = 130, .baseline = bench.cycles(figures.bare_ns), .spread = figures.spread,
                .note = std::to_string(result->flows_live) + " flows live; goal 100"});
    double spread_of_lookup = 0;
    const double cycles = lookup_ns(static_cast<std::uint32_t>(flows), spread_of_lookup);
    report.add({.name = "settled_lookup", .value = cycles, .unit = "cycles/lookup", .target = 75,
                .spread = spread_of_lookup, .note = "part of settled_packet: hash, index, entry, both lines"});
    return {};
}

Status scale_rows(Bench& bench) {
    const std::uint64_t many = bench.options().quick ? 100'000 : 10'000'000;
    const std::uint64_t few = bench.options().quick ? 10'000 : 100'000;
    auto mix = bench.mix();
    if (!mix) return mix.error();
    auto crowd = bench.arena(generate::MixKind::settled, kCrowdPackets);
    if (!crowd) return crowd.error();
    LineFigures figures[2];
    std::uint64_t resident = 0;
    for (const std::uint64_t flows : {few, many}) {
        bench.say("scale: opening " + std::to_string(flows) + " flows, then the mix");
        LineSetup setup;
        setup.inspector = config_for(flows);
        setup.passes = std::max(3u, bench.options().passes / 2);
        setup.population = *crowd;
        setup.population_passes = passes_for(flows, **crowd);
        const auto result = run_line(**mix, setup);
        if (!result) return result.error();
        figures[flows == many ? 1 : 0] = figures_of(*result);
        if (flows != many) continue;
        resident = result->resident_bytes;
        if (result->flows_live < many)
            return failed("only " + std::to_string(result->flows_live) + " of " + std::to_string(many) + " flows stayed live");
    }
    const std::string size = bench.options().quick ? "flows_100k" : "flows_10m";
    bench.report().add({.name = size + "_memory", .value = static_cast<double>(resident) / 1e9, .unit = "GB resident",
                        .target = 1.5, .note = "all the worker took, stream and handshake pools as far as touched"});
    bench.report().add({.name = size + "_mix", .value = bench.cycles(figures[1].above_ns), .unit = "cycles/packet above floor",
                        .target = bench.cycles(figures[0].above_ns) * 1.6, .baseline = bench.cycles(figures[0].above_ns),
                        .spread = figures[1].spread, .note = "target: 1.6 times the mix among " + std::to_string(few) + " flows"});
    return {};
}

}  // namespace seine::bench
