#include "tools/evaluate/report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <functional>

#include "tools/evaluate/targets.h"

namespace seine::evaluate {
namespace {

std::string form(const char* pattern, ...) __attribute__((format(printf, 1, 2)));
std::string form(const char* pattern, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

std::string number(double value) { return std::isfinite(value) ? form("%.6g", value) : "null"; }
std::string number(const std::optional<double>& value) { return value ? number(*value) : "null"; }
std::string number(std::uint64_t value) { return std::to_string(value); }

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            out += form("\\u%04x", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + '"';
}

std::string campaigns_json(const Rates& rates) {
    std::string out = "[";
    for (const CampaignGrade& c : rates.campaigns) {
        if (out.size() > 1) out += ',';
        out += R"({"name":)" + quoted(c.name) + R"(,"accounts":)" + number(c.accounts) +
               R"(,"recall":)" + number(c.recall()) + R"(,"hours_to_half":)" +
               (c.hours_to_half < 0 ? "null" : number(c.hours_to_half)) +
               R"(,"hours_to_nine_tenths":)" +
               (c.hours_to_nine_tenths < 0 ? "null" : number(c.hours_to_nine_tenths)) + "}";
    }
    return out + "]";
}

template <typename Map>
std::string map_json(const Map& map) {
    std::string out = "{";
    for (const auto& [name, value] : map) {
        if (out.size() > 1) out += ',';
        out += quoted(name) + ":" + number(value);
    }
    return out + "}";
}

std::string stories_json(const std::vector<FarmStory>& stories) {
    std::string out = "[";
    for (const FarmStory& story : stories) {
        if (out.size() > 1) out += ',';
        out += R"({"farm":)" + quoted(story.farm) + R"(,"accounts":)" + number(story.accounts) +
               R"(,"reason":)" + quoted(story.reason) + R"(,"account":)" + quoted(story.account) +
               R"(,"why":[)";
        for (std::size_t i = 0; i < story.lines.size(); ++i) {
            out += (i > 0 ? "," : "") + std::string(R"({"nats":)") + number(story.lines[i].first) +
                   R"(,"sentence":)" + quoted(story.lines[i].second) + "}";
        }
        out += "]}";
    }
    return out + "]";
}

std::string stories_text(const std::vector<FarmStory>& stories) {
    std::string out;
    for (const FarmStory& story : stories) {
        out += "  " + story.farm + ", " + number(story.accounts) + " accounts: " + story.reason +
               "\n    why account " + story.account + " belongs to it:\n";
        for (const auto& [nats, sentence] : story.lines)
            out += form("    %+6.2f  ", nats) + sentence + "\n";
    }
    return out;
}

std::string run_json(const Run& run) {
    const Grade& g = run.grade;
    std::string out =
        R"({"level":)" + quoted(run.level) + R"(,"seed":)" + number(run.seed) + R"(,"world":)" +
        quoted(run.world) + R"(,"accounts":)" + number(run.accounts) + R"(,"farm_accounts":)" +
        number(g.rates.farm_accounts) + R"(,"benign_accounts":)" + number(g.rates.benign_accounts) +
        R"(,"days":)" + number(run.days) + R"(,"budget":)" + number(run.budget);
    if (!run.without.empty()) out += R"(,"without":)" + quoted(run.without);
    if (run.detector) {
        out += R"(,"recall":)" + number(g.rates.recall) + R"(,"precision":)" +
               number(g.rates.precision) + R"(,"false_positives":)" +
               number(g.rates.false_positives) + R"(,"fp_per_million_day":)" +
               number(g.rates.fp_per_million_day) + R"(,"calibration_ratio":)" +
               number(g.rates.fp_per_million_day / run.budget) + R"(,"ari":)" + number(g.ari) +
               R"(,"purity":)" + number(g.purity) + R"(,"completeness":)" + number(g.completeness) +
               R"(,"pair_f1":)" + number(g.pair_f1) + R"(,"farms":)" + number(g.farms) +
               R"(,"farms_benign":)" + number(g.farms_benign) + R"(,"exchanges_to_alert_median":)" +
               number(g.exchanges_to_alert_median) + R"(,"farm_exchanges_before_first_alert":)" +
               map_json(g.farm_exchanges_before_first_alert) + R"(,"exchanges_prevented_share":)" +
               number(g.prevented_share) + R"(,"replacements":)" + number(g.replacements) +
               R"(,"replacements_linked_24h":)" + number(g.replacements_linked_24h) +
               R"(,"false_positives_by_confounder":)" + map_json(g.false_positives_by_confounder) +
               R"(,"campaigns":)" + campaigns_json(g.rates);
    }
    out += R"(,"baselines":{)";
    bool comma = false;
    for (const BaselineGrade& b : run.baselines) {
        out += (comma ? "," : "") + quoted(b.name) + R"(:{"recall":)" + number(b.rates.recall) +
               R"(,"fp_per_million_day":)" + number(b.rates.fp_per_million_day) +
               R"(,"campaigns":)" + campaigns_json(b.rates) + R"(,"recall_at_100_per_million":)" +
               number(b.rates_at_100.recall) + "}";
        comma = true;
    }
    out += "}";
    if (!run.stories.empty()) out += R"(,"stories":)" + stories_json(run.stories);
    out += R"(,"flows":)" + number(run.flows) + R"(,"records":)" + number(run.records) +
           R"(,"exchanges":)" + number(run.exchanges) + R"(,"seconds":)" + number(run.seconds) +
           R"(,"cpu_seconds":)" + number(run.cpu_seconds) + R"(,"peak_rss_mb":)" +
           number(run.peak_rss_mb) + R"(,"detector":{)";
    comma = false;
    for (const auto* figures : {&run.join_figures, &run.detector_figures}) {
        for (const auto& [name, value] : *figures) {
            out += (comma ? "," : "") + quoted(name) + ":" + number(value);
            comma = true;
        }
    }
    return out + "}}";
}

std::string percent(double share) { return form("%.2f %%", 100 * share); }
std::string percent(const std::optional<double>& share) { return share ? percent(*share) : "-"; }
std::string plain(const std::optional<double>& value, const char* pattern = "%.2f") {
    return value ? form(pattern, *value) : "-";  // NOLINT: patterns are literals of this file
}

struct Spread {
    double middle = 0, worst = 0;
};

// Over the runs of one level; `up`: more is better.
Spread spread(const std::vector<const Run*>& runs, bool up,
              const std::function<double(const Run&)>& of) {
    std::vector<double> values;
    for (const Run* run : runs) values.push_back(of(*run));
    Spread out;
    out.middle = *median(values);
    out.worst = up ? *std::min_element(values.begin(), values.end())
                   : *std::max_element(values.begin(), values.end());
    return out;
}

std::string row(const std::string& name, const char* pattern, const Spread& s, double target,
                bool up, double scale = 1) {
    const bool met = up ? s.worst >= target : s.worst <= target;
    return form("  %-34s %10s %10s %10s  %s\n", name.c_str(),
                form(pattern, scale * s.middle).c_str(),  // NOLINT
                form(pattern, scale * s.worst).c_str(), form(pattern, scale * target).c_str(),
                met ? "met" : "MISSED");  // NOLINT
}

std::string level_table(const std::string& level, const std::vector<const Run*>& runs) {
    const Targets* t = targets_of(level);
    std::string out = form("%s: %zu run%s, %llu accounts, %g days\n  %-34s %10s %10s %10s\n",
                           level.c_str(), runs.size(), runs.size() == 1 ? "" : "s",
                           static_cast<unsigned long long>(runs.front()->accounts),
                           runs.front()->days, "", "median", "worst", "target");
    if (t != nullptr) {
        out += row("account recall %", "%.2f",
                   spread(runs, true, [](const Run& r) { return r.grade.rates.recall; }), t->recall,
                   true, 100);
        out += row(
            "account precision %", "%.2f",
            spread(runs, true, [](const Run& r) { return r.grade.rates.precision.value_or(0); }),
            t->precision, true, 100);
        out +=
            row("false positives per M and day", "%.2f",
                spread(runs, false, [](const Run& r) { return r.grade.rates.fp_per_million_day; }),
                t->fp, false);
        out += row("campaign ARI", "%.3f",
                   spread(runs, true, [](const Run& r) { return r.grade.ari.value_or(0); }), t->ari,
                   true);
        out += row("exchanges to alert, median", "%.0f",
                   spread(runs, false,
                          [](const Run& r) {
                              return r.grade.exchanges_to_alert_median.value_or(INFINITY);
                          }),
                   t->exchanges, false);
        out += row("calibration: realised / asked", "%.2f",
                   spread(runs, false,
                          [](const Run& r) { return r.grade.rates.fp_per_million_day / r.budget; }),
                   2, false);
    }
    for (std::size_t c = 0; c < runs.front()->grade.rates.campaigns.size(); ++c) {
        const auto recall = [c](const Run& r) {
            return c < r.grade.rates.campaigns.size() ? r.grade.rates.campaigns[c].recall() : 0;
        };
        const Spread s = spread(runs, true, recall);
        const CampaignGrade& first = runs.front()->grade.rates.campaigns[c];
        out += form("  %-34s %10.2f %10.2f\n",
                    form("recall of %s (%llu accounts) %%", first.name.c_str(),
                         static_cast<unsigned long long>(first.accounts))
                        .c_str(),
                    100 * s.middle, 100 * s.worst);
    }
    for (std::size_t b = 0; b < runs.front()->baselines.size(); ++b) {
        const auto at = [b](const Run& r) {
            return b < r.baselines.size() ? r.baselines[b].rates.recall : 0;
        };
        const auto at_100 = [b](const Run& r) {
            return b < r.baselines.size() ? r.baselines[b].rates_at_100.recall : 0;
        };
        out += form(
            "  baseline %-34s recall %% %7.2f at the same false positives, %7.2f at 100 per M\n",
            runs.front()->baselines[b].name.c_str(), 100 * spread(runs, true, at).middle,
            100 * spread(runs, true, at_100).middle);
    }
    return out;
}

}  // namespace

std::string json_of(const std::vector<Run>& runs) {
    std::string out = "[";
    for (const Run& run : runs) out += (out.size() > 1 ? ",\n" : "") + run_json(run);
    return out + "]\n";
}

std::string text_of(const Run& run) {
    const Grade& g = run.grade;
    std::string out = form(
        "%s seed %llu%s%s: %llu accounts (%llu farm, %llu benign at work), %g days, %llu flows, "
        "%llu exchanges\n",
        run.level.c_str(), static_cast<unsigned long long>(run.seed),
        run.without.empty() ? "" : ", without ", run.without.c_str(),
        static_cast<unsigned long long>(run.accounts),
        static_cast<unsigned long long>(g.rates.farm_accounts),
        static_cast<unsigned long long>(g.rates.benign_accounts), run.days,
        static_cast<unsigned long long>(run.flows), static_cast<unsigned long long>(run.exchanges));
    if (run.detector) {
        out += "  recall " + percent(g.rates.recall) + ", precision " + percent(g.rates.precision) +
               form(", false positives %llu (%.2f per million and day; asked %.2f), ARI ",
                    static_cast<unsigned long long>(g.rates.false_positives),
                    g.rates.fp_per_million_day, run.budget) +
               plain(g.ari, "%.3f") + "\n";
        for (const CampaignGrade& c : g.rates.campaigns)
            out += form(
                "  campaign %-10s %6llu accounts, recall %s, half after %s h, nine tenths after %s "
                "h\n",
                c.name.c_str(), static_cast<unsigned long long>(c.accounts),
                percent(c.recall()).c_str(),
                c.hours_to_half < 0 ? "-" : form("%.1f", c.hours_to_half).c_str(),
                c.hours_to_nine_tenths < 0 ? "-" : form("%.1f", c.hours_to_nine_tenths).c_str());
        out += form(
            "  farms %llu with farm accounts, %llu without; purity %.3f, completeness %.3f, pair "
            "F1 %.3f\n",
            static_cast<unsigned long long>(g.farms),
            static_cast<unsigned long long>(g.farms_benign), g.purity, g.completeness, g.pair_f1);
        out += "  exchanges to alert, median " + plain(g.exchanges_to_alert_median, "%.0f") +
               "; prevented " + percent(g.prevented_share) +
               form("; replacements %llu, linked within 24 h ",
                    static_cast<unsigned long long>(g.replacements)) +
               percent(g.replacements_linked_24h) + "\n";
        for (const auto& [farm, n] : g.farm_exchanges_before_first_alert)
            out += form("  %s: %llu exchanges before its first alert\n", farm.c_str(),
                        static_cast<unsigned long long>(n));
        for (const auto& [name, n] : g.false_positives_by_confounder)
            out += form("  false positives, %s: %llu\n", name.c_str(),
                        static_cast<unsigned long long>(n));
        out += stories_text(run.stories);
    }
    for (const BaselineGrade& b : run.baselines)
        out +=
            form("  baseline %-28s recall %7.2f %% at %.2f per M and day, %7.2f %% at 100 per M\n",
                 b.name.c_str(), 100 * b.rates.recall, b.rates.fp_per_million_day,
                 100 * b.rates_at_100.recall);
    for (const auto* figures : {&run.join_figures, &run.detector_figures}) {
        if (figures->empty()) continue;
        out += " ";
        for (const auto& [name, value] : *figures) out += form(" %s %.6g", name.c_str(), value);
        out += "\n";
    }
    out += form("  %.1f s (%.1f s CPU), at most %.0f MB resident\n", run.seconds, run.cpu_seconds,
                run.peak_rss_mb);
    return out;
}

std::string table_of(const std::vector<Run>& runs) {
    std::string out;
    std::vector<std::string> levels;
    for (const Run& run : runs) {
        if (std::find(levels.begin(), levels.end(), run.level + run.without) == levels.end())
            levels.push_back(run.level + run.without);
    }
    for (const std::string& key : levels) {
        std::vector<const Run*> same;
        for (const Run& run : runs) {
            if (run.level + run.without == key && run.detector) same.push_back(&run);
        }
        if (!same.empty()) out += level_table(same.front()->level, same);
    }
    return out;
}

}  // namespace seine::evaluate
