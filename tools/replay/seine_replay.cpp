// seine-replay: captures through the inspector without DPDK, JSON lines out.
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <string>

#include "dataplane/capture/pcap_file.h"
#include "dataplane/export/jsonl_sink.h"
#include "dataplane/pipeline/inspector.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"
#include "tools/replay/options.h"

namespace seine::replay {
namespace {

// Above the largest record a flow can make in --raw mode, many times over.
constexpr std::size_t kRingBytes = std::size_t{8} << 20;
constexpr std::uint32_t kRawRecordBytesMax = 1u << 20;
constexpr std::size_t kFlowsAtOnce = 64;

void say(const std::string& line) { std::fprintf(stderr, "seine-replay: %s\n", line.c_str()); }

class Replay {
  public:
    Replay(pipeline::Inspector& inspector, ByteRing& ring, exporting::FrameSink& sink)
        : inspector_(inspector), ring_(ring), sink_(sink) {
        // One packet may end any number of flows; what they tell is printed before the ring is full.
        ring_.pause_when_full([](void* self) noexcept { static_cast<Replay*>(self)->drain(); }, this);
    }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    // False, and a line on stderr, when the file could not be read to its end.
    bool run(const std::string& path) {
        auto file = capture::PcapFile::open(path);
        if (!file) {
            say(file.error().message());
            return false;
        }
        capture::CapturedFrame captured;
        while (true) {
            const capture::Next next = file->next(captured);
            if (next != capture::Next::frame) {
                if (next == capture::Next::error) say(file->error());
                return next == capture::Next::end;
            }
            const pipeline::Frame frame = {captured.bytes, captured.wire_bytes, captured.link,
                                           captured.time};
            inspector_.inspect({&frame, 1});
            drain();
        }
    }
    void finish() {
        while (!inspector_.finish(kFlowsAtOnce)) drain();
        drain();
    }

  private:
    void drain() {
        while (true) {
            const ByteView frame = ring_.front();
            if (frame.empty()) return;
            sink_.take(frame, 0);
            ring_.release();
        }
    }
    pipeline::Inspector& inspector_;
    ByteRing& ring_;
    exporting::FrameSink& sink_;
};

bool write_counters(const std::string& path, const pipeline::Counters& counters) {
    std::ofstream out(path);
    const char* comma = "{";
    counters.for_each([&](std::string_view prefix, std::string_view name, std::string_view,
                          std::uint64_t value) {
        out << comma << '"' << prefix << name << "\":" << value;
        comma = ",";
    });
    out << "}\n";
    out.close();
    if (!out) say(path + ": cannot be written; choose another place with --counters");
    return bool(out);
}

// The rules of a folder, ready; nullptr, and lines on stderr, when they have a mistake.
std::unique_ptr<signature::Generation> read_generation(const std::string& folder) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    signature::CompiledRules compiled;
    if (loaded.problems.empty()) compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) {
        for (const auto& problem : loaded.problems.kept()) say(text_of(problem.place) + ": " + problem.text);
        return nullptr;
    }
    compiled.generation = 1;
    auto made = signature::Generation::make(std::move(compiled), {});
    if (!made) say(made.error().message());
    return made ? std::move(*made) : nullptr;
}

int run(const Options& options) {
    std::unique_ptr<signature::Generation> rules;
    if (!options.signatures.empty() && (rules = read_generation(options.signatures)) == nullptr) return 1;
    pipeline::InspectorConfig config;
    config.raw = options.raw;
    config.records_all = true;
    config.limits.half_open_ns = pipeline::Limits::kHalfOpenOfFilesNs;
    if (options.raw) config.limits.record_bytes_max = kRawRecordBytesMax;
    ByteRing ring(kRingBytes);
    auto inspector = pipeline::Inspector::make(config, ring);
    if (!inspector) {
        say(inspector.error().message());
        return 1;
    }
    auto sink = exporting::JsonlSink::open(options.output,
                                           {.events = options.events, .sorted = options.sorted, .fold = {}});
    if (!sink) {
        say(sink.error().message());
        return 1;
    }
    (*inspector)->adopt(rules.get());
    Replay replay(**inspector, ring, **sink);
    bool good = true;
    for (const std::string& path : options.files) good &= replay.run(path);
    replay.finish();
    const Status written = (*sink)->finish();
    if (!written.ok()) say(written.message());
    if (!options.counters.empty()) good &= write_counters(options.counters, (*inspector)->counters());
    return good && written.ok() ? 0 : 1;
}

int run_main(int argc, char** argv) {
    const auto options = read_options(argc, argv);
    if (!options) {
        say(options.error().message());
        return 2;
    }
    if (options->help) {
        std::fputs(help_text().c_str(), stdout);
        return 0;
    }
    if (options->version) {
#ifdef SEINE_JA4PLUS
        std::puts("seine-replay " SEINE_VERSION ", JA4+ built in (FoxIO License 1.1)");
#else
        std::puts("seine-replay " SEINE_VERSION ", without JA4+");
#endif
        return 0;
    }
    return run(*options);
}

}  // namespace
}  // namespace seine::replay

int main(int argc, char** argv) {
    try {
        return seine::replay::run_main(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seine-replay: %s; this is a mistake of ours, please report it\n",
                     error.what());
        return 1;
    }
}
