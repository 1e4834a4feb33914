// What seine-evaluate prints of its runs: a table for people, an array of objects for programs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tools/evaluate/metrics.h"
#include "tools/evaluate/subject.h"

namespace seine::evaluate {

struct BaselineGrade {
    std::string name;
    Rates rates;         // at the detector's own number of false positives
    Rates rates_at_100;  // at 100 false positives per million benign accounts in the window
};

struct Run {
    std::string world;  // folder, or "generated"
    std::string level;
    std::uint64_t seed = 0;
    std::uint64_t accounts = 0;
    double days = 0;
    double budget = 0;
    std::string without;   // channel groups left out, empty: none
    bool detector = true;  // false: nothing but baselines
    Grade grade;
    std::vector<BaselineGrade> baselines;
    std::uint64_t flows = 0;
    std::uint64_t records = 0;
    std::uint64_t exchanges = 0;
    double seconds = 0;  // from the first byte read to the last verdict
    double cpu_seconds = 0;
    double peak_rss_mb = 0;
    std::vector<FarmStory> stories;  // with --explain
    std::vector<std::pair<std::string, double>> join_figures;
    std::vector<std::pair<std::string, double>>
        detector_figures;  // what the detector counts of itself
};

std::string json_of(const std::vector<Run>& runs);
// Every run in full.
std::string text_of(const Run& run);
// The table of detection.md 10.3: median and worst over the seeds of each level, against the
// targets.
std::string table_of(const std::vector<Run>& runs);

}  // namespace seine::evaluate
