// Initials as they were seen in the wild: every one in the shared captures opens.
#include <filesystem>

#include <gtest/gtest.h>

#include "dataplane/quic/session.h"
#include "tests/unit/quic/udp_capture.h"

namespace seine::quic {
namespace {

struct Seen {
    int flow_count = 0;  // that began like QUIC
    int opened_count = 0;
    int failed_count = 0;
    int no_keys_count = 0;
    int refused_count = 0;       // datagrams answered with another status than ok
    int client_hello_count = 0;  // flows whose client stream begins with a ClientHello at offset 0
    int server_hello_count = 0;
    int retry_sound_count = 0;
    int rekeyed_count = 0;
};

Seen replay(const std::string& path) {
    struct Flow {
        std::string first_sender;
        Session session{64};
        bool client_hello = false;
        bool server_hello = false;
    };
    auto crypto = crypto::QuicCrypto::make();
    std::map<std::string, Flow> flows;
    Seen seen;
    DatagramFacts facts;
    Bytes scratch(70000);
    EXPECT_TRUE(each_datagram(path, [&](const Datagram& datagram) {
        const std::string key =
            std::min(datagram.from, datagram.to) + std::max(datagram.from, datagram.to);
        auto at = flows.find(key);
        if (at == flows.end()) {
            if (!looks_like_quic(datagram.payload)) return;
            at = flows.emplace(key, Flow{datagram.from}).first;
            ++seen.flow_count;
        }
        Flow& flow = at->second;
        const Path path_of = datagram.from == flow.first_sender ? 0 : 1;
        const Parse status =
            flow.session.on_datagram(datagram.payload, path_of, *crypto.value(), scratch, facts);
        if (status != Parse::ok) ++seen.refused_count;
        seen.opened_count += facts.opened_count;
        seen.failed_count += facts.failed_count;
        seen.no_keys_count += facts.no_keys_count;
        seen.retry_sound_count += facts.retry_sound;
        seen.rekeyed_count += facts.rekeyed;
        for (const CryptoPiece& piece : facts.crypto) {
            if (piece.offset != 0) continue;
            if (facts.side == Side::client && piece.bytes[0] == 1) flow.client_hello = true;
            if (facts.side == Side::server && piece.bytes[0] == 2) flow.server_hello = true;
        }
    }));
    for (const auto& [key, flow] : flows) {
        seen.client_hello_count += flow.client_hello;
        seen.server_hello_count += flow.server_hello;
    }
    return seen;
}

std::string whole_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
int count_of(std::string_view text, std::string_view part) {
    int count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

const std::string kVectors = SEINE_SOURCE_DIR "/../shared/vectors";

// The expected values say how many flows have a client's and a server's hello in QUIC.
TEST(QuicCaptures, EveryInitialOpensAndEveryExpectedHelloIsThere) {
    if (!std::filesystem::exists(kVectors)) {
        GTEST_SKIP() << "the shared captures are not beside the source";
    }
    int capture_count = 0;
    int client_hello_count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kVectors + "/pcap")) {
        const Seen seen = replay(entry.path());
        const std::string name = entry.path().filename();
        const std::string expected = whole_file(kVectors + "/expected/" + name + ".jsonl");
        EXPECT_EQ(seen.failed_count, 0) << name;
        EXPECT_EQ(seen.no_keys_count, 0) << name;
        EXPECT_EQ(seen.client_hello_count, count_of(expected, "\"ja4\": \"q")) << name;
        EXPECT_GE(seen.server_hello_count, count_of(expected, "\"ja4s\": \"q")) << name;
        // A Snapchat call carries RTP on the same ports once QUIC is done.
        EXPECT_EQ(seen.refused_count > 0, name == "ndpi-snapchat_call_v1.pcapng") << name;
        capture_count += seen.flow_count > 0;
        client_hello_count += seen.client_hello_count;
    }
    EXPECT_EQ(capture_count, 25);
    EXPECT_EQ(client_hello_count, 80);
}

// The server sent its Retry twice; the second answers an id the client had already left.
TEST(QuicCaptures, FollowsTheRetry) {
    const std::string path = kVectors + "/pcap/sv-quic-retry-multiple-input.pcap";
    if (!std::filesystem::exists(path))
        GTEST_SKIP() << "the shared captures are not beside the source";
    const Seen seen = replay(path);
    EXPECT_EQ(seen.retry_sound_count, 1);
    EXPECT_EQ(seen.rekeyed_count, 1);
    EXPECT_EQ(seen.opened_count, 6);
}

}  // namespace
}  // namespace seine::quic
