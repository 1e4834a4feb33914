// The whole line fed packets with times, rules over heads and bodies in use and reloaded on the way: one burst and many must
// tell the same story.
//
//   byte 0     link type, modulo the number we read; the top bit: no raw forms, whose buffers are what an inspector costs here
//   repeated   u8 time step (squared, in 100 us), u16 length (11 bits; the top bit: the frame was cut on
//              the wire), that many bytes
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/byte_ring.h"
#include "dataplane/pipeline/inspector.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"

namespace {

using namespace seine;

struct OwnFrame {
    std::unique_ptr<std::uint8_t[]> bytes;  // exact size, so that one byte too many is seen
    std::size_t count = 0;
    std::uint32_t wire_bytes = 0;
    Nanos time;
};

constexpr std::size_t kFramesMax = 256;

std::vector<OwnFrame> frames_of(ByteReader in) {
    std::vector<OwnFrame> frames;
    Nanos time{1'700'000'000 * kSecond};
    while (in.left() > 3 && frames.size() < kFramesMax) {
        const std::int64_t step = in.u8();
        const std::uint16_t word = in.be16();
        const std::size_t count = std::min<std::size_t>(word & 0x7ff, in.left());
        const ByteView view = in.take(count);
        time = time + step * step * 100 * kMicrosecond;
        OwnFrame frame{std::make_unique<std::uint8_t[]>(count), count, 0, time};
        if (count > 0) std::memcpy(frame.bytes.get(), view.data(), count);
        frame.wire_bytes = static_cast<std::uint32_t>(count + ((word & 0x8000) != 0 ? 100 : 0));
        frames.push_back(std::move(frame));
    }
    return frames;
}

pipeline::InspectorConfig tiny_config(bool raw) {
    pipeline::InspectorConfig config;
    // Small, so that eviction happens, and since two inspectors are made for each input.
    config.limits.flows_max = 64;
    config.limits.cold_flows_max = raw ? 8 : 32;
    config.limits.stream_pool_bytes = std::size_t{1} << 20;
    config.limits.fragment_datagrams_max = 16;
    config.limits.fragment_pool_bytes = std::size_t{256} << 10;
    config.limits.span_copies_max = 256;
    config.limits.exchange_blocks_max = 64;
    config.limits.h2_connections_max = 4;
    config.records_all = true;
    config.raw = raw;
    return config;
}

// Rules that keep requests and their bodies waiting, without limits of what they tell.
const signature::CompiledRules& rules() {
    static const signature::CompiledRules compiled = [] {
        std::string text;
        for (const char* condition :
             {"field = \"http.body\"\npattern = '[a-z]{3}'", "field = \"http.response_body\"\npattern = 'a.{1,9}b$'",
              "all = [{ field = \"http.path\", prefix = \"/\" }, { not = { field = \"http.body\", contains = \"e\" } }]",
              "field = \"http.user_agent\"\npattern = '^(.)\\1'", "field = \"tls.sni\"\npresent = true"})
            text += "[[rule]]\nid = \"r" + std::to_string(text.size()) +
                    "\"\ntitle = \"t\"\nclass = \"policy\"\nlimit = { per_rule = \"off\", per_source = \"off\" }\n" + condition +
                    "\n[[rule.match]]\nhttp.method = \"x\"\n[[rule.no_match]]\nhttp.method = \"y\"\n";
        signature::LoadedRules loaded = signature::read_rules_text("rules.toml", text, "");
        signature::CompiledRules out = compile(loaded.set, loaded.problems);
        if (!loaded.problems.empty()) __builtin_trap();
        out.generation = 1;
        return out;
    }();
    return compiled;
}

void drain(ByteRing& ring, std::string& out) {
    for (ByteView record = ring.front(); !record.empty(); record = ring.front()) {
        out.append(as_text(record));
        ring.release();
    }
}

// From this frame on a second set of the same rules is in use. A multiple of both bursts, so that they change together.
constexpr std::size_t kReloadAt = 32;

std::unique_ptr<signature::Generation> generation(std::uint64_t number) {
    signature::Generation::Limits limits;
    limits.bodies_max = 8;  // small, so that they run out
    limits.parked_max = 8;
    limits.sources_max = 16;
    auto made = signature::Generation::make(rules(), limits);
    if (!made) __builtin_trap();
    (*made)->set_number(number);
    return std::move(*made);
}

// Every record frame, one after another.
std::string story(const std::vector<OwnFrame>& frames, wire::LinkType link, bool raw, std::size_t burst) {
    ByteRing ring(std::size_t{4} << 20);
    const auto first = generation(1);
    const auto second = frames.size() > kReloadAt ? generation(2) : nullptr;
    auto inspector = pipeline::Inspector::make(tiny_config(raw), ring);
    if (!inspector) __builtin_trap();
    (*inspector)->adopt(first.get());
    std::string out;
    for (std::size_t at = 0; at < frames.size(); at += burst) {
        if (at == kReloadAt) (*inspector)->adopt(second.get());
        pipeline::Frame batch[pipeline::Inspector::kBurstMax];
        std::size_t count = 0;
        for (; count < burst && at + count < frames.size(); ++count) {
            const OwnFrame& frame = frames[at + count];
            batch[count] = {{frame.bytes.get(), frame.count}, frame.wire_bytes, link, frame.time};
        }
        (*inspector)->inspect({batch, count});
        drain(ring, out);
    }
    while (!(*inspector)->finish(8)) drain(ring, out);
    drain(ring, out);
    if ((*inspector)->flow_count() != 0) __builtin_trap();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const auto link = static_cast<wire::LinkType>((data[0] & 0x7f) % wire::kLinkTypeCount);
    const bool raw = (data[0] & 0x80) == 0;
    const auto frames = frames_of(ByteReader(ByteView(data + 1, size - 1)));
    if (frames.empty()) return 0;
    if (story(frames, link, raw, 1) != story(frames, link, raw, 32)) __builtin_trap();
    return 0;
}
