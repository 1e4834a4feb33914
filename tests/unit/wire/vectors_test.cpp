// The decoder against real captures: every flow that the shared vectors expect is found innermost.
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/capture/pcap_file.h"
#include "dataplane/wire/decode.h"

namespace seine {
namespace {

namespace fs = std::filesystem;

// Value of `key` in a flat JSON line; these lines put the five of a flow first.
std::string value_of(const std::string& line, const std::string& key) {
    const std::string mark = "\"" + key + "\": ";
    const std::size_t at = line.find(mark);
    if (at == std::string::npos) return {};
    std::size_t from = at + mark.size();
    if (line[from] == '"') {
        ++from;
        return line.substr(from, line.find('"', from) - from);
    }
    return line.substr(from, line.find_first_of(",}", from) - from);
}

std::string text_of(const wire::PacketView& packet, const wire::Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = packet.ip_version == 4;
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address.v4_bytes().data() : address.bytes().data(),
              text.data(), text.size());
    return text.data();
}

std::string flow_text(const std::string& source, const std::string& source_port,
                      const std::string& target, const std::string& target_port,
                      const std::string& protocol) {
    return protocol + " " + source + " " + source_port + " > " + target + " " + target_port;
}

struct Seen {
    std::set<std::string> flows;  // both directions of each
    std::map<std::string, std::size_t> results;
    std::string error;
};

Seen decode_file(const fs::path& path) {
    Seen seen;
    auto file = capture::PcapFile::open(path.string());
    if (!file) {
        seen.error = file.error().message();
        return seen;
    }
    wire::Decoder decoder{wire::FragmentLimits{}};
    capture::CapturedFrame frame;
    for (;;) {
        const capture::Next next = file->next(frame);
        if (next == capture::Next::error) seen.error = file->error();
        if (next != capture::Next::frame) return seen;
        // A copy of exactly the frame's size, so that a sanitizer sees one byte too far.
        const auto exact = std::make_unique<std::uint8_t[]>(frame.bytes.size());
        std::memcpy(exact.get(), frame.bytes.data(), frame.bytes.size());
        wire::PacketView packet;
        const auto result = decoder.decode({exact.get(), frame.bytes.size()}, frame.wire_bytes,
                                           frame.link, frame.time, packet);
        ++seen.results[std::string(wire::decode_result_name(result))];
        if (result != wire::DecodeResult::ok) continue;
        const std::string protocol = packet.transport == wire::Transport::tcp ? "tcp" : "udp";
        const std::string source = text_of(packet, packet.source);
        const std::string target = text_of(packet, packet.target);
        const std::string from = std::to_string(packet.source_port);
        const std::string to = std::to_string(packet.target_port);
        seen.flows.insert(flow_text(source, from, target, to, protocol));
        seen.flows.insert(flow_text(target, to, source, from, protocol));
    }
}

fs::path vectors_folder() { return fs::path(SEINE_SOURCE_DIR) / ".." / "shared" / "vectors"; }

TEST(Vectors, EveryExpectedFlowIsFoundInnermost) {
    if (!fs::exists(vectors_folder()))
        GTEST_SKIP() << "the shared vectors are not beside this checkout";
    std::size_t captures = 0;
    std::size_t expected_count = 0;
    for (const auto& entry : fs::directory_iterator(vectors_folder() / "pcap")) {
        const std::string name = entry.path().filename().string();
        std::ifstream lines(vectors_folder() / "expected" / (name + ".jsonl"));
        ASSERT_TRUE(lines.is_open()) << name;
        ++captures;
        const Seen seen = decode_file(entry.path());
        std::string line;
        while (std::getline(lines, line)) {
            const std::string flow =
                flow_text(value_of(line, "src"), value_of(line, "sport"), value_of(line, "dst"),
                          value_of(line, "dport"), value_of(line, "proto"));
            ++expected_count;
            std::string results;
            for (const auto& [result, count] : seen.results)
                results += " " + result + "=" + std::to_string(count);
            EXPECT_TRUE(seen.flows.contains(flow))
                << name << ": " << flow << "\n   saw" << results << " " << seen.error;
        }
    }
    EXPECT_GE(captures, 425u);
    EXPECT_GE(expected_count, 1100u);
    std::printf("%zu flows of %zu captures\n", expected_count, captures);
}

}  // namespace
}  // namespace seine
