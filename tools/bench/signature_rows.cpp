// Rules: the matcher beside bare Hyperscan over the values of the mix, the packs on the mix, and the gap of a reload.
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include "dataplane/contract/frame.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"
#include "tools/bench/child.h"
#include "tools/bench/line_run.h"
#include "tools/bench/rows.h"
#include "tools/bench/statistics.h"
#include "tools/bench/turns.h"

namespace seine::bench {
namespace {

using contract::Field;

constexpr double kTargetScans = 85;      // % of the rate of bare hs_scan
constexpr double kTargetPacks = 10;      // % of the mix's cycles
constexpr double kTargetGapMs = 0.2;     // above an equal run without reloads
constexpr unsigned kPackPasses = 3;      // times as many as of other rows: a small share of a figure that wavers
constexpr std::size_t kValuePackets = 300'000;

struct FieldName {
    Field field;
    const char* name;
};
constexpr FieldName kOfHello[] = {{Field::sni, "tls.sni"}, {Field::ja4, "tls.ja4"}};
constexpr FieldName kOfRequest[] = {{Field::host, "http.host"}, {Field::path, "http.path"}, {Field::user_agent, "http.user_agent"}};

// One record as an event of the file that signature_bench reads.
void write_event(const contract::RecordView& record, std::ostream& out) {
    const bool request = record.kind == contract::Kind::request;
    std::size_t lines = 0;
    const auto line = [&](const char* name, std::string_view value) {
        if (value.empty() || value.find('\n') != std::string_view::npos) return;
        out << name << '\t' << value << '\n';
        ++lines;
    };
    for (const FieldName& one : request ? std::span<const FieldName>(kOfRequest) : std::span<const FieldName>(kOfHello))
        line(one.name, record.text(one.field));
    std::string names;
    if (request)
        record.for_each_string([&](Field field, ByteView value) {
            if (field != Field::header_names) return;
            if (!names.empty()) names += ',';
            names += as_text(value);
        });
    line("http.header_names", names);
    if (lines > 0) out << '\n';
}

// The field strings of the mix, in its order.
Status write_values(Arena& arena, const std::string& path) {
    std::ofstream out(path, std::ios::binary);
    const Status told = replay(arena, plain_config(), kValuePackets, [&](ByteView frame) {
        contract::RecordView record;
        if (contract::read_frame(frame, record) == Parse::ok &&
            (record.kind == contract::Kind::open || record.kind == contract::Kind::request))
            write_event(record, out);
    });
    if (!told.ok()) return told;
    out.close();
    return out ? Status() : failed(path + ": cannot be written");
}

Status scan_row(Bench& bench, Arena& arena) {
    const std::string values = bench.ring_path("values");
    const Status written = write_values(arena, values);
    if (!written.ok()) return written;
    bench.say("signatures: a thousand patterns beside bare hs_scan");
    const std::string program = beside("signature_bench");
    const auto run = run_child({program, "--figures", values});
    unlink(values.c_str());
    if (!run) return run.error();
    const char* at = run->output_begin.c_str();
    for (const bool remembers : {true, false}) {
        double percent = 0, spread = 0, bare_ns = 0, remembered = 0;
        int length = 0;
        if (std::sscanf(at, "%lf %lf %lf %lf%n", &percent, &spread, &bare_ns, &remembered, &length) != 4)
            return failed(program + ": printed no figures; is it of this build?");
        at += length;
        char note[96];
        std::snprintf(note, sizeof note, "1,000 patterns; bare %.0f ns a value, %.0f %% of values remembered", bare_ns, remembered);
        bench.report().add({.name = remembers ? "signature_scan_rate" : "signature_scan_rate_unremembered", .value = percent,
                            .unit = "% of bare hs_scan", .target = kTargetScans, .bound = Bound::at_least, .baseline = 100,
                            .spread = spread / 100, .note = note});
    }
    return {};
}

// CPU time above the floor of each measured pass.
std::vector<double> passes_of(const LineResult& result) {
    std::vector<double> passes;
    for (const SliceTime& slice : result.slices) {
        if (slice.index == 0) passes.push_back(0);
        passes.back() += slice.worker_ns + slice.export_ns - slice.bare_ns;
    }
    return passes;
}

// Two workers on one processor, one with the packs and one without, that take turns slice by slice over the same packets.
Status run_pair(Arena& arena, LineSetup setup, const signature::CompiledRules& rules, LineResult (&results)[2]) {
    Turns turns;
    Status failures[2];
    std::thread threads[2];
    const int processor = sched_getcpu();
    for (unsigned side = 0; side < 2; ++side) {
        LineSetup own = setup;
        own.rules = side == 1 ? &rules : nullptr;
        own.ring_path += side == 1 ? "-with" : "-without";
        own.between = [&turns, side] { turns.pass(side); };
        threads[side] = std::thread([&, own, side] {
            cpu_set_t only;
            CPU_ZERO(&only);
            CPU_SET(static_cast<unsigned>(processor < 0 ? 0 : processor), &only);
            static_cast<void>(pthread_setaffinity_np(pthread_self(), sizeof only, &only));
            turns.wait(side);
            auto result = run_line(arena, own);
            if (result) results[side] = std::move(*result);
            else failures[side] = result.error();
            turns.leave(side);
            unlink(own.ring_path.c_str());
            unlink((own.ring_path + ".alerts").c_str());
        });
    }
    for (std::thread& thread : threads) thread.join();
    return failures[0].ok() ? failures[1] : failures[0];
}

Status pack_row(Bench& bench, Arena& arena) {
    auto loaded = signature::read_rules(SEINE_SOURCE_DIR "/signatures");
    const auto compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) return failed(loaded.problems.lines());
    LineSetup setup;
    setup.inspector = plain_config();
    setup.passes = kPackPasses * bench.options().passes;
    setup.ring_path = bench.ring_path("signatures");
    bench.say("signatures: with and without in turns, " + std::to_string(setup.passes) + " passes over " +
              std::to_string(arena.size()) + " packets");
    LineResult results[2];  // without, with
    const Status ran = run_pair(arena, setup, compiled, results);
    if (!ran.ok()) return ran;
    const double without = figures_of(results[0]).above_ns;
    const double by_place = 100 * (figures_of(results[1]).above_ns / without - 1);
    const std::vector<double> bare = passes_of(results[0]);
    const std::vector<double> matched = passes_of(results[1]);
    std::vector<double> more;
    for (std::size_t i = 0; i < std::min(bare.size(), matched.size()); ++i) more.push_back(100 * (matched[i] / bare[i] - 1));
    char note[192];
    std::snprintf(note, sizeof note,
                  "%zu rules, n=%zu passes in turns: quartiles %+.1f and %+.1f; %+.1f by medians of slices; "
                  "mix without %.0f cycles",
                  loaded.set.rules.size(), more.size(), quantile(more, 0.25), quantile(more, 0.75), by_place,
                  bench.cycles(without));
    bench.report().add({.name = "signature_packs", .value = median(more), .unit = "% of mix",
                        .target = kTargetPacks, .note = note});
    return {};
}

Status reload_row(Bench& bench) {
    const bool quick = bench.options().quick;
    bench.say("signatures: reloads beside equal runs without");
    const std::string program = beside("reload_bench");
    const auto run = quick ? run_child({program, "--figures", "1", "0.4", "200"})
                           : run_child({program, "--figures", "9", "3", "5000"});
    if (!run) return run.error();
    double above = 0, least = 0, most = 0, without = 0;
    char worker[16] = "";
    if (std::sscanf(run->output_begin.c_str(), "%lf %lf %lf %lf %15s", &above, &least, &most, &without, worker) != 5)
        return failed(program + ": printed no figures; is it of this build?");
    char note[128];
    std::snprintf(note, sizeof note, "20 reloads a run; least %.3f, most %.3f; without %.3f ms; worker %s", least, most, without,
                  worker);
    bench.report().add({.name = "signature_reload_gap", .value = above, .unit = "ms above a run without", .target = kTargetGapMs,
                        .note = note});
    return {};
}

}  // namespace

Status signature_rows(Bench& bench) {
    auto arena = bench.mix();
    if (!arena) return arena.error();
    Status step = scan_row(bench, **arena);
    if (step.ok()) step = pack_row(bench, **arena);
    return step.ok() ? reload_row(bench) : step;
}

}  // namespace seine::bench
