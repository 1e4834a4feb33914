#include "tools/bench/rows.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "dataplane/capture/pcap_file.h"

namespace seine::bench {
namespace {

constexpr RowGroup kGroups[] = {
    {"mix", "the mix: cycles a packet above the bare feed, and how they divide", true, mix_rows},
    {"handshakes", "ClientHellos, QUIC Initials and HTTP heads a core-second", true, handshake_rows},
    {"settled", "a data packet of a settled flow among a million", true, settled_rows},
    {"scale", "ten million flows: memory, and the mix among them", true, scale_rows},
    {"cores", "cores needed at 10 to 400 Gb/s, by mix and settled of the same run", true, cores_rows},
    {"workers", "two workers on two cores", true, worker_rows},
    {"start", "from exec to the first record", true, start_rows},
    {"forms", "the mix with JA3, wire-order and raw forms, above the mix", true, forms_rows},
    {"join", "account records a CPU-second in control's join", true, join_rows},
    {"signatures", "rules: beside bare Hyperscan, on the mix, and the gap of a reload", true, signature_rows},
    {"peer", "CPU seconds beside another program, with --file and --peer", false, peer_rows},
};

}  // namespace

std::span<const RowGroup> row_groups() noexcept { return kGroups; }

void Bench::say(const std::string& line) const { std::fprintf(stderr, "seine-bench: %s\n", line.c_str()); }

std::string Bench::ring_path(const std::string& name) const {
    return options_.scratch + "/seine-bench." + std::to_string(getpid()) + "." + name + ".ring";
}

Result<std::unique_ptr<Arena>> arena_of_capture(const std::string& path, std::uint64_t packets, Status* cut) {
    auto file = capture::PcapFile::open(path);
    if (!file) return file.error();
    auto arena = std::make_unique<Arena>();
    const Status reserved = arena->reserve(packets * 1600 + (std::size_t{1} << 20));
    if (!reserved.ok()) return reserved;
    capture::CapturedFrame frame;
    while (arena->size() < packets) {
        const capture::Next next = file->next(frame);
        if (next == capture::Next::error) {
            if (cut == nullptr) return failed(file->error());
            *cut = failed(file->error());
        }
        if (next != capture::Next::frame) break;
        if (!arena->add(frame.bytes, frame.wire_bytes, frame.link, frame.time)) break;
    }
    if (arena->size() == 0) return failed(path + ": holds no packet");
    return arena;
}

Result<std::unique_ptr<Arena>> make_arena(generate::MixKind kind, std::uint64_t packets, std::uint64_t seed) {
    auto arena = std::make_unique<Arena>();
    const Status reserved = arena->reserve((packets * 2 + 500'000) * 1600);
    if (!reserved.ok()) return reserved;
    generate::MixOptions options;
    options.kind = kind;
    options.packets = packets;
    options.seed = seed;
    options.concurrent = static_cast<unsigned>(std::clamp<std::uint64_t>(packets / 100, 50, options.concurrent));
    const auto counts = generate::make_mix(options, [&](ByteView frame, Nanos time) {
        return arena->add(frame, static_cast<std::uint32_t>(frame.size()), wire::LinkType::ethernet, time);
    });
    if (!counts) return counts.error();
    return arena;
}

Result<Arena*> Bench::arena(generate::MixKind kind, std::uint64_t packets) {
    if (const auto known = arenas_.find(kind); known != arenas_.end()) return known->second.get();
    const bool captured = kind == generate::MixKind::edge && !options_.capture.empty();
    say(captured ? "reading " + options_.capture : "making " + std::to_string(packets) + " packets");
    auto made = captured ? arena_of_capture(options_.capture, packets) : make_arena(kind, packets);
    if (!made) return made.error();
    return (arenas_[kind] = std::move(*made)).get();
}

Result<LineFigures> Bench::measure(Arena& arena, const pipeline::InspectorConfig& config, const std::string& name,
                                   StageCounts* stages) {
    LineSetup setup;
    setup.inspector = config;
    setup.passes = options_.passes;
    // The clock starts when as many flows linger as ever will, and the pools are as deep as they get.
    constexpr std::int64_t kSteadyNs = 2500 * kMillisecond;
    constexpr std::int64_t kWarmMax = 16;
    const std::int64_t passes = kSteadyNs / std::max<std::int64_t>(arena.pass_ns(), 1) + 1;
    if (!options_.quick) setup.warm_passes = static_cast<unsigned>(std::min(passes, kWarmMax));
    setup.stages = stages != nullptr;
    setup.ring_path = ring_path(name);
    say(name + ": " + std::to_string(setup.passes) + " passes over " + std::to_string(arena.size()) + " packets");
    auto result = run_line(arena, setup);
    unlink(setup.ring_path.c_str());
    unlink((setup.ring_path + ".alerts").c_str());
    if (!result) return result.error();
    if (stages != nullptr) *stages = result->stages;
    LineFigures figures = figures_of(*result);
    double known = 0;
    double hashed = 0;
    for (const auto& count : result->counters) {
        if (count.name == "texts_known") known = static_cast<double>(count.value);
        if (count.name == "texts_hashed") hashed = static_cast<double>(count.value);
    }
    if (known + hashed > 0) figures.texts_known = known / (known + hashed);
    return figures;
}

}  // namespace seine::bench
