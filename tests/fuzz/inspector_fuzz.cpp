// The whole line fed packets with times: one burst and many must tell the same story.
//
//   byte 0     link type, modulo the number we read
//   repeated   u8 time step (squared, in 100 us), u16 length (11 bits; the top bit: the frame was cut on
//              the wire), that many bytes
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/byte_ring.h"
#include "dataplane/pipeline/inspector.h"

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

pipeline::InspectorConfig tiny_config() {
    pipeline::InspectorConfig config;
    config.limits.flows_max = 64;  // small, so that eviction happens
    config.limits.cold_flows_max = 32;
    config.limits.stream_pool_bytes = std::size_t{1} << 20;
    config.limits.fragment_datagrams_max = 16;
    config.limits.exchange_blocks_max = 64;
    config.limits.h2_connections_max = 8;
    config.records_all = true;
    config.raw = true;
    return config;
}

void drain(ByteRing& ring, std::string& out) {
    for (ByteView record = ring.front(); !record.empty(); record = ring.front()) {
        out.append(as_text(record));
        ring.release();
    }
}

// Every record frame, one after another.
std::string story(const std::vector<OwnFrame>& frames, wire::LinkType link, std::size_t burst) {
    ByteRing ring(std::size_t{4} << 20);
    auto inspector = pipeline::Inspector::make(tiny_config(), ring);
    if (!inspector) __builtin_trap();
    std::string out;
    for (std::size_t at = 0; at < frames.size(); at += burst) {
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
    const auto link = static_cast<wire::LinkType>(data[0] % wire::kLinkTypeCount);
    const auto frames = frames_of(ByteReader(ByteView(data + 1, size - 1)));
    if (frames.empty()) return 0;
    if (story(frames, link, 1) != story(frames, link, 32)) __builtin_trap();
    return 0;
}
