// Capture files made for a test.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/base/hash.h"
#include "dataplane/capture/pcap_writer.h"
#include "tests/unit/runtime/environment.h"

namespace seine::runtime_test {

struct Made {
    std::vector<std::uint8_t> bytes;
    Nanos time;
    std::uint32_t wire_bytes = 0;  // 0: as captured
};

// An IPv4 UDP frame of `frame_bytes` (at least 42) between two of `flows` port pairs.
inline std::vector<std::uint8_t> udp_frame(std::size_t frame_bytes, unsigned flow, bool back = false) {
    std::vector<std::uint8_t> out(frame_bytes, static_cast<std::uint8_t>(flow));
    const auto put16 = [&out](std::size_t at, std::size_t value) {
        out[at] = static_cast<std::uint8_t>(value >> 8);
        out[at + 1] = static_cast<std::uint8_t>(value);
    };
    std::fill_n(out.begin(), 42, std::uint8_t{0});
    put16(12, 0x0800);
    out[14] = 0x45;
    put16(16, std::min<std::size_t>(frame_bytes - 14, 0xffff));
    out[22] = 64;
    out[23] = 17;
    const std::size_t client = back ? 30 : 26;
    const std::size_t server = back ? 26 : 30;
    out[client] = out[server] = 10;
    out[client + 3] = 1;
    out[server + 3] = 2;
    put16(back ? 36 : 34, 1024 + flow);
    put16(back ? 34 : 36, 443);
    put16(38, std::min<std::size_t>(frame_bytes - 34, 0xffff));
    return out;
}

inline std::string write_capture(const std::string& name, const std::vector<Made>& frames,
                                 wire::LinkType link = wire::LinkType::ethernet,
                                 capture::TimeUnit unit = capture::TimeUnit::nanos) {
    const std::string path = folder() + "/" + name;
    auto writer = capture::PcapWriter::create(path, link, unit);
    EXPECT_TRUE(writer) << writer.error().message();
    for (const Made& frame : frames) {
        const Status written = writer->write(frame.bytes, frame.time, frame.wire_bytes);
        EXPECT_TRUE(written.ok()) << written.message();
    }
    EXPECT_TRUE(writer->close().ok());
    return path;
}

inline Seen wanted(const Made& frame, wire::LinkType link = wire::LinkType::ethernet) {
    Seen out;
    out.time = frame.time.count;
    out.bytes = static_cast<std::uint32_t>(frame.bytes.size());
    out.wire_bytes = frame.wire_bytes == 0 ? out.bytes : frame.wire_bytes;
    out.hash = hash64(frame.bytes, 1);
    out.link = static_cast<std::uint8_t>(link);
    return out;
}

}  // namespace seine::runtime_test
