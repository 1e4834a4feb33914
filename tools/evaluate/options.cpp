#include "tools/evaluate/options.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <boost/program_options.hpp>

namespace seine::evaluate {
namespace {

namespace po = boost::program_options;

constexpr const char* kLevels[] = {"L1", "L2", "L3", "L4", "L5a", "L5b", "L5c"};
constexpr const char* kGroups[] = {"NET", "STK", "LNK", "TIME", "MIX", "PRX"};

po::options_description described() {
    po::options_description options("options");
    options.add_options()("world", po::value<std::vector<std::string>>()->value_name("DIR"),
                          "a world that is there already (seine-generate, mkworld); repeatable")(
        "level", po::value<std::vector<std::string>>()->value_name("LEVEL"),
        "L1 L2 L3 L4 L5a L5b L5c or all: generate such a world and judge on it; repeatable")(
        "seed", po::value<std::vector<std::uint64_t>>()->value_name("N"),
        "of a generated world; repeatable (default 1)")(
        "seeds", po::value<std::uint64_t>()->value_name("N"), "seeds 1 to N")(
        "scale", po::value<std::string>()->value_name("N")->default_value("100000"),
        "accounts of a generated world, or `published`: 1,024,000 accounts, 30 days, 16.55 million "
        "farm exchanges")("days", po::value<double>()->value_name("N"),
                          "length of a generated world (default 7; published 30)")(
        "parameters", po::value<std::string>()->value_name("FILE"),
        "parameters of a generated world (default: built in)")(
        "generator", po::value<std::string>()->value_name("COMMAND"),
        "another program that makes the worlds, run by the shell after {level} {seed} {scale} "
        "{days} {out} are filled in: 'mkworld reference.toml --level {level} --seed {seed} "
        "--accounts {scale} --days {days} --out {out}'")(
        "jobs,j", po::value<std::size_t>()->value_name("N")->default_value(0),
        "runs at a time, each in a process of its own; 0: one a core (published scale: one)")(
        "budget", po::value<double>()->value_name("N")->default_value(3),
        "false positives per million benign accounts and day that the detector may aim at")(
        "result", po::value<std::string>()->value_name("FILE"),
        "write a JSON line per account: account, score_nats, alerted, first_alert_ns, farm")(
        "grade", po::value<std::string>()->value_name("FILE"),
        "judge such a file instead of running the detector")(
        "state", po::value<std::string>()->value_name("FILE"),
        "write what detection knows at the end, as seine-control keeps it (STATE/detect.state)")(
        "end-now",
        "move the world's clock by whole days so that its last one ends within the last 24 h")(
        "restarts",
        "after every sweep begin anew from what was saved, detection and join, as after a restart of "
        "the daemon: the result stays the same")(
        "without", po::value<std::vector<std::string>>()->value_name("GROUP"),
        "leave a channel group out: NET STK LNK TIME MIX PRX; repeatable")(
        "ablation", "run once more for each channel group, without it")(
        "baselines-only", "leave the detector out")("plain-join",
                                                    "a simple exact join instead of the daemon's")(
        "sweep-hours", po::value<double>()->value_name("N"),
        "most simulated hours between full sweeps (default 12; of worlds longer than 8 days 24); "
        "early on they come whenever the time seen has grown by 15 % (from 24 hours on, doubled)")(
        "no-baselines",
        "leave the baselines out (they take most of the memory at the published scale)")(
        "explain", "print every farm that was found, and why its surest account belongs to it")(
        "keep", po::value<std::string>()->value_name("DIR"),
        "keep generated worlds under DIR (default: deleted)")(
        "threads", po::value<unsigned>()->value_name("N")->default_value(0),
        "threads of the detector; 0: all cores")(
        "json", "an array with an object per run on stdout")("quiet,q", "no progress on stderr")(
        "version", "print the version")("help,h", "print this");
    return options;
}

template <typename List>
bool known(const List& list, const std::string& word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

Status check(Options& out) {
    std::vector<std::string> levels;
    for (const std::string& level : out.levels) {
        if (level == "all")
            levels.assign(std::begin(kLevels), std::end(kLevels));
        else if (known(kLevels, level))
            levels.push_back(level);
        else
            return {Code::usage,
                    "--level " + level + ": there are L1 L2 L3 L4 L5a L5b L5c and all"};
    }
    out.levels = std::move(levels);
    for (const std::string& group : out.without) {
        if (!known(kGroups, group))
            return {Code::usage, "--without " + group + ": there are NET STK LNK TIME MIX and PRX"};
    }
    if (out.worlds.empty() && out.levels.empty())
        return {
            Code::usage,
            "nothing to judge on: give --world DIR or --level LEVEL; see seine-evaluate --help"};
    if (out.sweep_hours && !(*out.sweep_hours >= 0.05))
        return {Code::usage, "--sweep-hours must be at least 0.05"};
    if (out.seeds.empty()) return {Code::usage, "--seeds must be at least 1"};
    if (!out.generator.empty() && out.generator.find("{out}") == std::string::npos)
        return {Code::usage, "--generator must say where {out} goes; see seine-evaluate --help"};
    if (!(out.budget > 0)) return {Code::usage, "--budget must be above 0"};
    const bool many = out.worlds.size() + out.levels.size() * out.seeds.size() > 1;
    if (many && (!out.result.empty() || !out.grade.empty() || !out.state.empty()))
        return {Code::usage, "--result, --grade and --state go with one world at a time"};
    if (out.restarts && (out.plain_join || out.baselines_only))
        return {Code::usage, "--restarts restarts the detector and the daemon's own join"};
    if (out.end_now && out.state.empty())
        return {Code::usage,
                "--end-now goes with --state: grades are told in the world's own time"};
    return {};
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
    Options out;
    try {
        po::variables_map seen;
        po::store(po::command_line_parser(argc, argv).options(described()).run(), seen);
        po::notify(seen);
        out.help = seen.count("help") > 0;
        out.version = seen.count("version") > 0;
        if (out.help || out.version) return out;
        const auto list = [&](const char* name, auto& into) {
            if (seen.count(name) > 0)
                into = seen[name].as<std::remove_reference_t<decltype(into)>>();
        };
        list("world", out.worlds);
        list("level", out.levels);
        list("seed", out.seeds);
        list("parameters", out.parameters);
        list("result", out.result);
        list("grade", out.grade);
        list("without", out.without);
        list("keep", out.keep);
        list("generator", out.generator);
        list("state", out.state);
        out.end_now = seen.count("end-now") > 0;
        out.restarts = seen.count("restarts") > 0;
        out.jobs = seen["jobs"].as<std::size_t>();
        if (seen.count("seeds") > 0) {
            out.seeds.clear();
            const auto last = seen["seeds"].as<std::uint64_t>();
            for (std::uint64_t seed = 1; seed <= last && seed <= 1000; ++seed)
                out.seeds.push_back(seed);
        }
        out.scale = seen["scale"].as<std::string>();
        out.budget = seen["budget"].as<double>();
        if (seen.count("days") > 0) out.days = seen["days"].as<double>();
        out.ablation = seen.count("ablation") > 0;
        out.baselines_only = seen.count("baselines-only") > 0;
        out.plain_join = seen.count("plain-join") > 0;
        if (seen.count("sweep-hours") > 0) out.sweep_hours = seen["sweep-hours"].as<double>();
        out.baselines = seen.count("no-baselines") == 0;
        out.explain = seen.count("explain") > 0;
        out.json = seen.count("json") > 0;
        out.quiet = seen.count("quiet") > 0;
        out.threads = seen["threads"].as<unsigned>();
    } catch (const po::error& error) {
        return Status(Code::usage, std::string(error.what()) + "; see seine-evaluate --help");
    }
    if (Status s = check(out); !s.ok()) return s;
    return out;
}

std::string help_text() {
    std::ostringstream text;
    text << "usage: seine-evaluate --world DIR... [options]\n"
            "       seine-evaluate --level LEVEL... [--seed N...] [--scale N] [options]\n"
            "The detector against worlds of which the truth is known, with plain baselines beside "
            "it.\n\n"
         << described();
    return text.str();
}

}  // namespace seine::evaluate
