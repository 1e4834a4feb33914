// seine-evaluate: the detector against labelled worlds, with baselines beside it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>
#include <unistd.h>

#include "tools/evaluate/engine_subject.h"
#include "tools/evaluate/options.h"
#include "tools/evaluate/runner.h"
#include "tools/evaluate/target_table.h"
#include "tools/evaluate/workers.h"
#include "tools/world/maker.h"

namespace seine::evaluate {
namespace {

int fail(const Status& status) {
    std::fprintf(stderr, "seine-evaluate: %s\n", status.message().c_str());
    return status.code() == Code::usage ? 2 : 1;
}

// A folder for a generated world, deleted at the end unless it is to be kept.
class WorldFolder {
  public:
    WorldFolder(const Options& options, const std::string& level, std::uint64_t seed)
        : kept_(!options.keep.empty()) {
        const std::string base =
            kept_ ? options.keep : std::filesystem::temp_directory_path().string();
        path_ = base + "/seine-" + options.scale + "-" + level + "-" + std::to_string(seed);
        if (!kept_) path_ += "-" + std::to_string(::getpid());
    }
    ~WorldFolder() {
        std::error_code ignored;
        if (!kept_) std::filesystem::remove_all(path_, ignored);
    }
    WorldFolder(const WorldFolder&) = delete;
    WorldFolder& operator=(const WorldFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    bool kept_;
    std::string path_;
};

// A command of --generator with its places filled in.
std::string filled(std::string command,
                   const std::vector<std::pair<std::string, std::string>>& places) {
    for (const auto& [name, value] : places) {
        for (std::size_t at = 0; (at = command.find(name, at)) != std::string::npos;
             at += value.size())
            command.replace(at, name.size(), value);
    }
    return command;
}

Status make_elsewhere(const Options& options, const std::string& level, std::uint64_t seed,
                      const std::string& folder) {
    char days[32];
    std::snprintf(days, sizeof days, "%g", options.days.value_or(7));
    std::string command = filled(options.generator, {{"{level}", level},
                                                     {"{seed}", std::to_string(seed)},
                                                     {"{scale}", options.scale},
                                                     {"{days}", days},
                                                     {"{out}", folder}});
    std::filesystem::create_directories(folder);
    // What it says must not mix with our own output.
    if (std::system((command + " >&2").c_str()) != 0)  // NOLINT: the user's own command
        return failed("the generator failed: " + command);
    return {};
}

Status make(const Options& options, const std::string& level, std::uint64_t seed,
            const std::string& folder) {
    if (!options.generator.empty()) return make_elsewhere(options, level, seed, folder);
    auto parameters = world::read_parameters(options.parameters);
    if (!parameters) return parameters.error();
    if (Status s = world::set_scale(*parameters, options.scale); !s.ok()) return s;
    if (options.days) parameters->world.days = *options.days;
    world::MakeOptions make;
    make.level = level;
    make.seed = seed;
    make.folder = folder;
    make.packed = true;
    make.threads = options.threads;
    make.progress = !options.quiet;
    const auto made = world::make_world(*parameters, make);
    return made ? Status() : made.error();
}

// So that the last day of a world ends within the last 24 hours.
std::int64_t whole_days_until_now(const WorldTruth& truth) {
    constexpr std::int64_t kDay = 24 * 3600 * kSecond;
    const auto end =
        truth.start_ns + static_cast<std::int64_t>(truth.days * static_cast<double>(kDay));
    const std::int64_t now = static_cast<std::int64_t>(std::time(nullptr)) * kSecond;
    const std::int64_t days = (now - end) / kDay - (now < end ? 1 : 0);
    return days * kDay;
}

class Session {
  public:
    Session(const Options& options, bool aloud) : options_(options), aloud_(aloud) {}

    // The world as it is, then without each group if an ablation is asked for.
    Status judge(const std::string& folder) {
        if (Status s = once(folder, options_.without, options_.baselines); !s.ok()) return s;
        if (!options_.ablation) return {};
        for (const char* group : {"NET", "STK", "LNK", "TIME", "MIX", "PRX"}) {
            if (Status s = once(folder, {group}, false); !s.ok()) return s;
        }
        return {};
    }
    std::vector<Run> runs;

  private:
    Status once(const std::string& folder, const std::vector<std::string>& without,
                bool baselines) {
        RunPlan plan;
        plan.folder = folder;
        plan.without = without;
        plan.plain_join = options_.plain_join;
        plan.restarts = options_.restarts;
        plan.budget = options_.budget;
        plan.baselines = baselines;
        plan.explain = options_.explain;
        plan.progress = !options_.quiet;
        plan.result = without.empty() ? options_.result : "";
        plan.grade = options_.grade;
        if (options_.end_now) {
            const auto truth = read_truth(folder);
            if (!truth) return truth.error();
            plan.later_ns = whole_days_until_now(*truth);
        }
        const auto subject = [&](const WorldTruth& truth,
                                 const std::string& path) -> Result<std::unique_ptr<Subject>> {
            if (options_.baselines_only) return std::unique_ptr<Subject>();
            EnginePlan engine;
            engine.budget = options_.budget;
            engine.threads = options_.threads;
            engine.sweep_hours = options_.sweep_hours.value_or(truth.days > 8 ? 24 : 12);
            if (engine.sweep_hours >= 24) engine.growth = 1;
            engine.prefixes = path + "/prefixes.csv";
            engine.state = options_.state;
            engine.restarts = options_.restarts;
#ifdef SEINE_DETECTOR
            return make_engine_subject(engine, truth.start_ns + plan.later_ns);
#else
            return failed("built without control/detect; --baselines-only judges the baselines");
#endif
        };
        auto run = run_world(plan, subject);
        if (!run) return run.error();
        if (aloud_) {
            std::fputs(text_of(*run).c_str(), stdout);
            std::fflush(stdout);
        }
        runs.push_back(std::move(*run));
        return {};
    }
    const Options& options_;
    bool aloud_;
};

// Every world of the command line, as work that can be done in any process.
std::vector<Job> jobs_of(const Options& options, bool aloud) {
    const auto judged = [&options, aloud](const std::string& folder) -> Result<std::vector<Run>> {
        Session session(options, aloud);
        if (Status s = session.judge(folder); !s.ok()) return s;
        return std::move(session.runs);
    };
    std::vector<Job> jobs;
    for (const std::string& folder : options.worlds)
        jobs.push_back({folder, [judged, folder] { return judged(folder); }});
    for (const std::string& level : options.levels) {
        for (const std::uint64_t seed : options.seeds) {
            jobs.push_back({level + " seed " + std::to_string(seed),
                            [&options, judged, level, seed]() -> Result<std::vector<Run>> {
                                const WorldFolder folder(options, level, seed);
                                if (Status s = make(options, level, seed, folder.path()); !s.ok())
                                    return s;
                                return judged(folder.path());
                            }});
        }
    }
    return jobs;
}

Result<std::vector<Run>> one_after_another(const std::vector<Job>& jobs) {
    std::vector<Run> all;
    for (const Job& job : jobs) {
        auto runs = job.work();
        if (!runs) return runs.error();
        for (Run& run : *runs) all.push_back(std::move(run));
    }
    return all;
}

Result<std::vector<Run>> side_by_side(const Options& options, std::size_t at_once) {
    Options each = options;
    each.quiet = true;
    if (each.threads == 0) each.threads = 1;
    const std::vector<Job> jobs = jobs_of(each, false);
    std::size_t done = 0;
    const std::time_t began = std::time(nullptr);
    return run_side_by_side(
        jobs, at_once, [&](const std::string& name, const std::vector<Run>& runs) {
            ++done;
            if (options.quiet || runs.empty()) return;
            const Rates& r = runs.front().grade.rates;
            std::fprintf(stderr,
                         "  %s: recall %.2f %%, %.2f false positives per million and day; %zu of "
                         "%zu after %ld s\n",
                         name.c_str(), 100 * r.recall, r.fp_per_million_day, done, jobs.size(),
                         static_cast<long>(std::time(nullptr) - began));
        });
}

int evaluate(const Options& options) {
    const std::size_t worlds = options.worlds.size() + options.levels.size() * options.seeds.size();
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    std::size_t at_once = options.jobs != 0              ? options.jobs
                          : options.scale == "published" ? 1
                                                         : cores;
    at_once = std::min(at_once, worlds);
    const bool alone = at_once <= 1 || options.explain;
    auto runs =
        alone ? one_after_another(jobs_of(options, !options.json)) : side_by_side(options, at_once);
    if (!runs) return fail(runs.error());
    if (options.json) {
        std::fputs(json_of(*runs).c_str(), stdout);
        return 0;
    }
    for (const Run& run : *runs) {
        if (!alone) std::fputs(text_of(run).c_str(), stdout);
    }
    std::fputs(("\n" + table_of(*runs)).c_str(), stdout);
    if (worlds > 1) std::fputs(("\n" + target_table(*runs)).c_str(), stdout);
    return 0;
}

}  // namespace
}  // namespace seine::evaluate

int main(int argc, char** argv) {
    using namespace seine::evaluate;
    const auto options = read_options(argc, argv);
    if (!options) return fail(options.error());
    if (options->help) {
        std::fputs(help_text().c_str(), stdout);
        return 0;
    }
    if (options->version) {
        std::puts("seine-evaluate " SEINE_VERSION);
        return 0;
    }
    return evaluate(*options);
}
