#include "tools/evaluate/target_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>

#include "tools/evaluate/targets.h"

namespace seine::evaluate {
namespace {

using Column = std::vector<const Run*>;
using Value = std::function<std::optional<double>(const Run&)>;

struct Metric {
    const char* name;
    Value of;
    bool up = true;  // more is better
    double scale = 1;
    int digits = 0;
    double Targets::*target = nullptr;
};

std::string number(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string cell(const Metric& metric, const Column& runs) {
    std::vector<double> values;
    for (const Run* run : runs) {
        if (const auto value = metric.of(*run)) values.push_back(*value);
    }
    if (values.empty()) return "-";
    const double middle = *median(values);
    const double worst = metric.up ? *std::min_element(values.begin(), values.end())
                                   : *std::max_element(values.begin(), values.end());
    std::string text = number(metric.scale * middle, metric.digits);
    if (values.size() > 1) text += " (" + number(metric.scale * worst, metric.digits) + ")";
    const Targets* targets = targets_of(runs.front()->level);
    if (metric.target == nullptr || targets == nullptr || targets->*metric.target == 0) return text;
    const double target = targets->*metric.target;
    const bool held = metric.up ? middle >= target : middle <= target;
    return text + (held ? " held" : " **missed**, " + number(metric.scale * target, metric.digits));
}

double least_campaign(const Run& run) {
    double least = 1;
    for (const CampaignGrade& c : run.grade.rates.campaigns) least = std::min(least, c.recall());
    return least;
}

std::vector<Metric> metrics() {
    return {
        {"account recall %", [](const Run& r) { return std::optional(r.grade.rates.recall); }, true,
         100, 1, &Targets::recall},
        {"weakest campaign's recall %",
         [](const Run& r) { return std::optional(least_campaign(r)); }, true, 100, 1, nullptr},
        {"account precision %", [](const Run& r) { return r.grade.rates.precision; }, true, 100, 2,
         &Targets::precision},
        {"false positives per M and day",
         [](const Run& r) { return std::optional(r.grade.rates.fp_per_million_day); }, false, 1, 1,
         &Targets::fp},
        {"realised over asked",
         [](const Run& r) { return std::optional(r.grade.rates.fp_per_million_day / r.budget); },
         false, 1, 2, nullptr},
        {"campaign ARI", [](const Run& r) { return r.grade.ari; }, true, 1, 2, &Targets::ari},
        {"median exchanges to alert",
         [](const Run& r) { return r.grade.exchanges_to_alert_median; }, false, 1, 0,
         &Targets::exchanges},
        {"exchanges prevented %", [](const Run& r) { return r.grade.prevented_share; }, true, 100,
         0, nullptr},
        {"replacements linked in 24 h %",
         [](const Run& r) { return r.grade.replacements_linked_24h; }, true, 100, 0, nullptr},
        {"CPU seconds", [](const Run& r) { return std::optional(r.cpu_seconds); }, false, 1, 0,
         nullptr},
        {"memory MB", [](const Run& r) { return std::optional(r.peak_rss_mb); }, false, 1, 0,
         nullptr},
    };
}

std::vector<Metric> baseline_metrics(const Run& run, std::vector<std::string>& names) {
    std::vector<Metric> out;
    names.reserve(run.baselines.size());
    for (std::size_t b = 0; b < run.baselines.size(); ++b) {
        std::string name = "baseline " + run.baselines[b].name;
        std::replace(name.begin(), name.end(), '_', ' ');
        names.push_back(name + ", recall %");
        out.push_back({names.back().c_str(),
                       [b](const Run& r) -> std::optional<double> {
                           if (b >= r.baselines.size()) return std::nullopt;
                           return r.baselines[b].rates.recall;
                       },
                       true, 100, 1, nullptr});
    }
    return out;
}

std::string innocent(const Column& runs) {
    std::map<std::string, std::uint64_t> by;
    for (const Run* run : runs) {
        for (const auto& [name, n] : run->grade.false_positives_by_confounder) by[name] += n;
    }
    std::string text;
    for (const auto& [name, n] : by)
        text += (text.empty() ? "" : ", ") + name + " " + std::to_string(n);
    return text.empty() ? "-" : text;
}

}  // namespace

std::string target_table(const std::vector<Run>& runs) {
    std::vector<std::pair<std::string, Column>> columns;
    for (const Run& run : runs) {
        if (!run.detector) continue;
        const std::string name = run.level + (run.without.empty() ? "" : " without " + run.without);
        const auto at = std::find_if(columns.begin(), columns.end(),
                                     [&](const auto& c) { return c.first == name; });
        if (at == columns.end())
            columns.push_back({name, {&run}});
        else
            at->second.push_back(&run);
    }
    if (columns.empty()) return {};
    std::string out = "| median (worst) of the seeds |", line = "| --- |";
    for (const auto& [name, column] : columns) {
        out += " " + name + " |";
        line += " --- |";
    }
    out += "\n" + line + "\n";
    std::vector<std::string> names;
    std::vector<Metric> rows = metrics();
    for (Metric& metric : baseline_metrics(*columns.front().second.front(), names))
        rows.push_back(std::move(metric));
    for (const Metric& metric : rows) {
        out += "| " + std::string(metric.name) + " |";
        for (const auto& [name, column] : columns) out += " " + cell(metric, column) + " |";
        out += "\n";
    }
    out += "| false positives by kind, all seeds |";
    for (const auto& [name, column] : columns) out += " " + innocent(column) + " |";
    return out + "\n";
}

}  // namespace seine::evaluate
