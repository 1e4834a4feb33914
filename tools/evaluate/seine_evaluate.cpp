// seine-evaluate: the detector against labelled worlds, with baselines beside it.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include "tools/evaluate/engine_subject.h"
#include "tools/evaluate/options.h"
#include "tools/evaluate/runner.h"
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

Status make(const Options& options, const std::string& level, std::uint64_t seed,
            const std::string& folder) {
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

class Session {
  public:
    explicit Session(const Options& options) : options_(options) {}

    // The world as it is, then without each group if an ablation is asked for.
    Status judge(const std::string& folder) {
        if (Status s = once(folder, options_.without, options_.baselines); !s.ok()) return s;
        if (!options_.ablation) return {};
        for (const char* group : {"NET", "STK", "LNK", "TIME", "MIX", "PRX"}) {
            if (Status s = once(folder, {group}, false); !s.ok()) return s;
        }
        return {};
    }
    void print() const {
        if (options_.json)
            std::fputs(json_of(runs_).c_str(), stdout);
        else
            std::fputs(("\n" + table_of(runs_)).c_str(), stdout);
    }

  private:
    Status once(const std::string& folder, const std::vector<std::string>& without,
                bool baselines) {
        RunPlan plan;
        plan.folder = folder;
        plan.without = without;
        plan.plain_join = options_.plain_join;
        plan.budget = options_.budget;
        plan.baselines = baselines;
        plan.explain = options_.explain;
        plan.progress = !options_.quiet;
        plan.result = without.empty() ? options_.result : "";
        plan.grade = options_.grade;
        const auto subject = [&](const WorldTruth& truth,
                                 const std::string& path) -> Result<std::unique_ptr<Subject>> {
            if (options_.baselines_only) return std::unique_ptr<Subject>();
            EnginePlan engine;
            engine.budget = options_.budget;
            engine.threads = options_.threads;
            engine.sweep_hours = options_.sweep_hours.value_or(truth.days > 8 ? 24 : 12);
            engine.prefixes = path + "/prefixes.csv";
#ifdef SEINE_DETECTOR
            return make_engine_subject(engine, truth.start_ns);
#else
            return failed("built without control/detect; --baselines-only judges the baselines");
#endif
        };
        auto run = run_world(plan, subject);
        if (!run) return run.error();
        if (!options_.json) {
            std::fputs(text_of(*run).c_str(), stdout);
            std::fflush(stdout);
        }
        runs_.push_back(std::move(*run));
        return {};
    }
    const Options& options_;
    std::vector<Run> runs_;
};

int evaluate(const Options& options) {
    Session session(options);
    for (const std::string& folder : options.worlds) {
        if (Status s = session.judge(folder); !s.ok()) return fail(s);
    }
    for (const std::string& level : options.levels) {
        for (const std::uint64_t seed : options.seeds) {
            const WorldFolder folder(options, level, seed);
            if (Status s = make(options, level, seed, folder.path()); !s.ok()) return fail(s);
            if (Status s = session.judge(folder.path()); !s.ok()) return fail(s);
        }
    }
    session.print();
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
