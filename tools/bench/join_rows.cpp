// The join of control at full rate: account records and the flows they belong to, by account_join_bench.
#include <cstdio>

#include "tools/bench/child.h"
#include "tools/bench/rows.h"

namespace seine::bench {
namespace {

constexpr const char* kFlowsASecond = "100000";
constexpr const char* kRecordsAFlow = "3";
constexpr const char* kMeanLifeSeconds = "5";
constexpr const char* kLateMs = "200";

}  // namespace

Status join_rows(Bench& bench) {
    const std::string program = beside("account_join_bench");
    const std::string seconds = bench.options().quick ? "2" : "60";
    bench.say("join: " + seconds + " s of 100,000 flow openings/s and 300,000 account records/s");
    const auto run = run_child({program, "--figures", seconds, kFlowsASecond, kRecordsAFlow, kMeanLifeSeconds, kLateMs});
    if (!run) return run.error();
    double records = 0;
    double joined = 0;
    double wrong = 0;
    double bytes = 0;
    if (std::sscanf(run->output_begin.c_str(), "%lf %lf %lf %lf", &records, &joined, &wrong, &bytes) != 4)
        return failed(program + ": printed no figures; is it of this build?");
    bench.report().add({.name = "join_records", .value = records, .unit = "records per CPU-second", .target = 300'000,
                        .bound = Bound::at_least, .note = "with a flow opened for every three records, and closed"});
    bench.report().add({.name = "join_joined", .value = joined, .unit = "% of records", .target = 99.5, .bound = Bound::at_least});
    bench.report().add({.name = "join_wrong", .value = wrong, .unit = "records put to a wrong flow", .target = 0});
    bench.report().add({.name = "join_memory", .value = bytes, .unit = "bytes a live connection"});
    return {};
}

}  // namespace seine::bench
