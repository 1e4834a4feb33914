// seine-evaluate: the detector against labelled worlds, with baselines beside it.
#include <cstdio>

#include "tools/evaluate/options.h"
#include "tools/evaluate/runner.h"

namespace seine::evaluate {
namespace {

int fail(const Status& status) {
    std::fprintf(stderr, "seine-evaluate: %s\n", status.message().c_str());
    return status.code() == Code::usage ? 2 : 1;
}

int evaluate(const Options& options) {
    std::vector<Run> runs;
    for (const std::string& world : options.worlds) {
        RunPlan plan;
        plan.folder = world;
        plan.budget = options.budget;
        plan.baselines = options.baselines;
        plan.progress = !options.quiet;
        plan.result = options.result;
        plan.grade = options.grade;
        auto run = run_world(
            plan, [](const WorldTruth&, const std::string&) -> Result<std::unique_ptr<Subject>> {
                return std::unique_ptr<Subject>();
            });
        if (!run) return fail(run.error());
        if (!options.json) std::fputs(text_of(*run).c_str(), stdout);
        std::fflush(stdout);
        runs.push_back(std::move(*run));
    }
    if (options.json)
        std::fputs(json_of(runs).c_str(), stdout);
    else
        std::fputs(table_of(runs).c_str(), stdout);
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
