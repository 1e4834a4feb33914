// Groups of rows: each file *_rows.cpp measures one group, rows.cpp lists them.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>

#include "dataplane/base/status.h"
#include "tools/bench/arena.h"
#include "tools/bench/line_figures.h"
#include "tools/bench/report.h"
#include "tools/generate/mix.h"

namespace seine::bench {

struct Options {
    bool json = false;
    bool quick = false;            // small inputs, few rounds: shows that everything runs
    std::uint32_t packets = 1'500'000;
    unsigned passes = 9;
    std::string rows;              // names of groups, comma separated; empty: all that need nothing else
    std::string capture;           // the mix from this file instead of the generator
    std::string output = "-";
    std::string file;              // --file CAPTURE --peer COMMAND
    std::string peer;
    std::string feed;              // --feed CAPTURE: no figures, its records
    std::string scratch;           // folder of ring files, from the environment's TMPDIR or /dev/shm
    bool list = false;
    bool help = false;
};

// What groups share; arenas are made once.
class Bench {
  public:
    Bench(const Options& options, Report& report) : options_(options), report_(report) {}
    [[nodiscard]] const Options& options() const noexcept { return options_; }
    [[nodiscard]] Report& report() noexcept { return report_; }
    // The mix of docs/performance.md.
    Result<Arena*> mix() { return arena(generate::MixKind::edge, options_.packets); }
    Result<Arena*> arena(generate::MixKind kind, std::uint64_t packets);
    // The line over an arena, records into a ring file, with progress on stderr.
    Result<LineFigures> measure(Arena& arena, const pipeline::InspectorConfig& config, const std::string& name,
                                StageCounts* stages = nullptr);
    // One line on stderr: what takes longer than two seconds says so.
    void say(const std::string& line) const;
    [[nodiscard]] double cycles(double ns) const noexcept { return ns * report_.machine().ticks_per_ns(); }
    // A fresh path for a ring file.
    [[nodiscard]] std::string ring_path(const std::string& name) const;

  private:
    const Options& options_;
    Report& report_;
    std::map<generate::MixKind, std::unique_ptr<Arena>> arenas_;
};

struct RowGroup {
    const char* name;
    const char* meaning;
    bool by_default;
    Status (*run)(Bench& bench);
};

[[nodiscard]] std::span<const RowGroup> row_groups() noexcept;

// Each defined in the file of its name; a new group is one file and one line in rows.cpp.
Status mix_rows(Bench& bench);
Status forms_rows(Bench& bench);
Status handshake_rows(Bench& bench);
Status settled_rows(Bench& bench);
Status scale_rows(Bench& bench);
Status worker_rows(Bench& bench);
Status cores_rows(Bench& bench);
Status start_rows(Bench& bench);
Status join_rows(Bench& bench);
Status signature_rows(Bench& bench);
Status peer_rows(Bench& bench);

// An arena of the generator's packets; flows begun until then are played to their end.
Result<std::unique_ptr<Arena>> make_arena(generate::MixKind kind, std::uint64_t packets, std::uint64_t seed = 1);

// The packets of a capture, `packets` at most. One that ends in the middle of a packet gives its good part where `cut`
// asks for what is wrong with the rest, and is an error otherwise.
Result<std::unique_ptr<Arena>> arena_of_capture(const std::string& path, std::uint64_t packets, Status* cut = nullptr);

// Plays a capture through the feed that rows are measured with and writes its flows as JSON lines to `output`.
Status tell_capture(const Options& options);

// What the mix rows run with: everything but JA3, wire order and raw forms; and with them.
[[nodiscard]] pipeline::InspectorConfig plain_config();
[[nodiscard]] pipeline::InspectorConfig full_config();

}  // namespace seine::bench
