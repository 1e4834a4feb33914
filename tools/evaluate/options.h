// Command line of seine-evaluate.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::evaluate {

struct Options {
    std::vector<std::string> worlds;  // --world
    std::vector<std::string> levels;  // --level, `all` spelled out
    std::vector<std::uint64_t> seeds{1};
    std::string scale = "100000";      // accounts, or `published`
    double budget = 3;                 // false positives per million benign accounts and day
    std::optional<double> days;        // of a generated world
    std::string parameters;            // --parameters FILE.toml of a generated world
    std::string result;                // --result
    std::string grade;                 // --grade: judge this result instead of running the detector
    std::string keep;                  // --keep DIR: generated worlds stay there
    std::string generator;             // --generator: the command that makes a world; empty: ours
    std::size_t jobs = 0;              // runs at a time; 0: as many as there are cores
    std::vector<std::string> without;  // --without GROUP: ablation
    std::string state;     // --state: what detection knows at the end, as the daemon keeps it
    bool end_now = false;  // the clock of the world is moved by whole days so that it ends today
    bool restarts = false;  // begin anew from what was saved, after every sweep
    bool ablation = false;
    bool baselines_only = false;
    bool plain_join = false;
    // At most, between full sweeps; default 12, of long worlds 24.
    std::optional<double> sweep_hours;
    bool baselines = true;
    bool explain = false;
    bool json = false;
    bool quiet = false;
    unsigned threads = 0;  // 0: as many as there are cores
    bool help = false;
    bool version = false;
};

Result<Options> read_options(int argc, char** argv);
std::string help_text();

}  // namespace seine::evaluate
