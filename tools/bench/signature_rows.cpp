// Rules: the matcher beside bare Hyperscan over the values of the mix, the packs on the mix, and the gap of a reload.
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "dataplane/contract/frame.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"
#include "tools/bench/child.h"
#include "tools/bench/line_run.h"
#include "tools/bench/rows.h"
#include "tools/bench/statistics.h"

namespace seine::bench {
namespace {

using contract::Field;

constexpr double kTargetScans = 85;      // % of the rate of bare hs_scan
constexpr double kTargetPacks = 10;      // % of the mix's cycles
constexpr double kTargetGapMs = 0.2;     // above an equal run without reloads
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

// Pairs of passes, with rules and without, one right after the other: what else runs meets both. Medians by place in the pass.
Status pack_row(Bench& bench, Arena& arena) {
    auto loaded = signature::read_rules(SEINE_SOURCE_DIR "/signatures");
    const auto compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) return failed(loaded.problems.lines());
    LineSetup setup;
    setup.inspector = plain_config();
    setup.passes = 1;
    setup.ring_path = bench.ring_path("signatures");
    LineResult all[2];  // without, with
    std::vector<double> more;
    bench.say("signatures: " + std::to_string(bench.options().passes) + " pairs of passes over " +
              std::to_string(arena.size()) + " packets");
    for (unsigned pair = 0; pair < bench.options().passes; ++pair) {
        double above[2] = {};
        for (const unsigned turn : {pair % 2, 1 - pair % 2}) {  // which comes first alternates
            setup.rules = turn == 1 ? &compiled : nullptr;
            const auto result = run_line(arena, setup);
            unlink(setup.ring_path.c_str());
            unlink((setup.ring_path + ".alerts").c_str());
            if (!result) return result.error();
            above[turn] = figures_of(*result).above_ns;
            all[turn].slices.insert(all[turn].slices.end(), result->slices.begin(), result->slices.end());
        }
        more.push_back(100 * (above[1] / above[0] - 1));
    }
    const double without = figures_of(all[0]).above_ns;
    const double with = figures_of(all[1]).above_ns;
    char note[160];
    std::snprintf(note, sizeof note, "%zu rules, %zu pairs: median %+.1f, p5 to p95 %+.1f to %+.1f; mix without %.0f cycles",
                  loaded.set.rules.size(), more.size(), median(more), quantile(more, 0.05), quantile(more, 0.95),
                  bench.cycles(without));
    bench.report().add({.name = "signature_packs", .value = 100 * (with / without - 1), .unit = "% of mix", .target = kTargetPacks,
                        .note = note});
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
