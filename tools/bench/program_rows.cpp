// Whole programs: from start to the first record, and beside somebody else's on the same capture.
#include <unistd.h>

#include "dataplane/capture/pcap_writer.h"
#include "tools/bench/child.h"
#include "tools/bench/rows.h"
#include "tools/bench/statistics.h"

namespace seine::bench {
namespace {

constexpr int kRounds = 5;

Status write_small_capture(const std::string& path) {
    auto writer = capture::PcapWriter::create(path, wire::LinkType::ethernet);
    if (!writer) return writer.error();
    generate::MixOptions options;
    options.kind = generate::MixKind::handshakes;
    options.packets = 64;
    options.concurrent = 8;
    options.variants = 1;
    Status status;
    const auto counts = generate::make_mix(options, [&](ByteView frame, Nanos time) {
        status = writer->write(frame, time);
        return status.ok();
    });
    if (!counts) return counts.error();
    return status.ok() ? writer->close() : status;
}

// Puts the file in every place of {}.
std::string filled_in(std::string command, const std::string& file) {
    std::string quoted = "'";
    for (const char c : file) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    quoted += "'";
    std::size_t at = command.find("{}");
    while (at != std::string::npos) {
        command.replace(at, 2, quoted);
        at = command.find("{}", at + quoted.size());
    }
    return command;
}

}  // namespace

Status start_rows(Bench& bench) {
    const std::string path = bench.ring_path("start") + ".pcap";
    const Status written = write_small_capture(path);
    if (!written.ok()) return written;
    std::vector<double> seconds;
    Status status;
    for (int round = 0; round < kRounds && status.ok(); ++round) {
        const auto run = run_child({beside("seine-dataplane"), "--pcap", path, "--records", "jsonl:-"});
        if (!run) status = run.error();
        else if (run->first_output_seconds == 0) status = failed("seine-dataplane wrote no record");
        else seconds.push_back(run->first_output_seconds);
    }
    unlink(path.c_str());
    if (!status.ok()) return status;
    bench.report().add({.name = "start_to_first_packet", .value = median(seconds), .unit = "s wall", .target = 2,
                        .spread = spread(seconds), .note = "exec of seine-dataplane to its first record on stdout"});
    return {};
}

Status peer_rows(Bench& bench) {
    const Options& options = bench.options();
    if (options.file.empty() || options.peer.empty())
        return {Code::usage, "both --file CAPTURE and --peer 'COMMAND {}' are needed"};
    if (options.peer.find("{}") == std::string::npos)
        return {Code::usage, "--peer: {} must say where the capture's name goes"};
    std::vector<double> ours, theirs;
    const std::string command = filled_in(options.peer, options.file);
    const int rounds = options.quick ? 1 : static_cast<int>(options.passes);
    bench.say("peer: " + std::to_string(rounds) + " rounds of seine-replay and of " + command);
    for (int round = 0; round < rounds; ++round) {
        const auto mine = run_child({beside("seine-replay"), "--output", "/dev/null", options.file});
        if (!mine) return mine.error();
        const auto other = run_command(command);
        if (!other) return other.error();
        ours.push_back(mine->cpu_seconds);
        theirs.push_back(other->cpu_seconds);
    }
    bench.report().add({.name = "file_cpu", .value = median(ours), .unit = "CPU seconds", .baseline = median(theirs),
                        .spread = spread(ours), .note = "seine-replay with JSON out; baseline: " + command});
    return {};
}

}  // namespace seine::bench
