// The line over a small mix, for callgrind: instructions a packet repeat where times do not.
//
// usage: line_count [edge|handshakes|quic|http|settled] [packets] [rules]
// Prints the packets that went through Inspector::inspect; run it under
//   valgrind --tool=callgrind --toggle-collect='seine::pipeline::Inspector::inspect*' line_count
// and divide. The inspector runs as a worker runs it: bursts of 64, records drained in between. With a folder of rules it
// matches them too.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/pipeline/inspector.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"
#include "tools/generate/mix.h"

namespace seine {
namespace {

struct Stored {
    std::size_t at;
    std::size_t bytes;
    Nanos time;
};

bool kind_of(std::string_view name, generate::MixKind& out) {
    if (name == "edge") out = generate::MixKind::edge;
    else if (name == "handshakes") out = generate::MixKind::handshakes;
    else if (name == "quic") out = generate::MixKind::quic;
    else if (name == "http") out = generate::MixKind::http;
    else if (name == "settled") out = generate::MixKind::settled;
    else return false;
    return true;
}

// nullptr: the folder's rules have mistakes, which were told.
std::unique_ptr<signature::Generation> rules_of(const char* folder) {
    signature::LoadedRules loaded = signature::read_rules(folder);
    signature::CompiledRules compiled;
    if (loaded.problems.empty()) compiled = compile(loaded.set, loaded.problems);
    if (!loaded.problems.empty()) {
        std::fprintf(stderr, "line_count: %s\n", loaded.problems.lines().c_str());
        return nullptr;
    }
    compiled.generation = 1;
    auto made = signature::Generation::make(std::move(compiled), {});
    if (made) return std::move(*made);
    std::fprintf(stderr, "line_count: %s\n", made.error().message().c_str());
    return nullptr;
}

int run(generate::MixKind kind, std::uint64_t packets, const char* folder) {
    std::unique_ptr<signature::Generation> rules;
    if (folder != nullptr && (rules = rules_of(folder)) == nullptr) return 1;
    generate::MixOptions options;
    options.kind = kind;
    options.packets = packets;
    options.concurrent = 200;
    options.variants = 16;
    std::vector<std::uint8_t> bytes;
    std::vector<Stored> stored;
    const auto counts = generate::make_mix(options, [&](ByteView frame, Nanos time) {
        stored.push_back({bytes.size(), frame.size(), time});
        bytes.insert(bytes.end(), frame.begin(), frame.end());
        return true;
    });
    if (!counts) {
        std::fprintf(stderr, "line_count: %s\n", counts.error().message().c_str());
        return 1;
    }
    pipeline::InspectorConfig config;
    config.ja3 = false;
    config.wire_order = false;
    config.table_seed = 1;
    config.limits.flows_max = 1u << 16;
    config.limits.cold_flows_max = 1u << 14;
    config.limits.stream_pool_bytes = std::size_t{16} << 20;
    ByteRing ring(std::size_t{8} << 20);
    auto inspector = pipeline::Inspector::make(config, ring);
    if (!inspector) {
        std::fprintf(stderr, "line_count: %s\n", inspector.error().message().c_str());
        return 1;
    }
    (*inspector)->adopt(rules.get());
    std::vector<pipeline::Frame> burst;
    for (std::size_t i = 0; i < stored.size();) {
        burst.clear();
        for (; i < stored.size() && burst.size() < pipeline::Inspector::kBurstMax; ++i) {
            const auto size = static_cast<std::uint32_t>(stored[i].bytes);
            burst.push_back({ByteView(bytes).subspan(stored[i].at, size), size, wire::LinkType::ethernet, stored[i].time});
        }
        (*inspector)->inspect(burst);
        while (!ring.front().empty()) ring.release();
    }
    std::printf("{\"packets\":%zu,\"settled\":%llu", stored.size(),
                static_cast<unsigned long long>((*inspector)->counters().get(pipeline::Counter::packets_settled)));
    for (const auto& [name, count] : *counts)
        if (name != "packets") std::printf(",\"%s\":%llu", name.c_str(), static_cast<unsigned long long>(count));
    std::printf("}\n");
    return 0;
}

}  // namespace
}  // namespace seine

int main(int argc, char** argv) {
    seine::generate::MixKind kind = seine::generate::MixKind::edge;
    if (argc > 1 && !seine::kind_of(argv[1], kind)) {
        std::fprintf(stderr, "usage: line_count [edge|handshakes|quic|http|settled] [packets] [rules]\n");
        return 2;
    }
    return seine::run(kind, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60'000,
                      argc > 3 ? argv[3] : nullptr);
}
