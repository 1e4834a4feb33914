// Flow-true over real captures: workers behind the distributor decode what one worker decodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "dataplane/base/hash.h"
#include "dataplane/capture/pcap_file.h"
#include "dataplane/runtime/distributor.h"
#include "dataplane/wire/decode.h"

namespace seine::runtime {
namespace {

struct Kept {
    std::vector<std::uint8_t> bytes;
    std::uint32_t wire_bytes;
    wire::LinkType link;
    Nanos time;
};

std::vector<Kept> read_all(const std::string& path) {
    std::vector<Kept> frames;
    auto file = capture::PcapFile::open(path);
    if (!file) return frames;
    capture::CapturedFrame frame;
    while (file->next(frame) == capture::Next::frame) {
        frames.push_back({{frame.bytes.begin(), frame.bytes.end()}, frame.wire_bytes, frame.link,
                          frame.time});
    }
    return frames;
}

// The two ends in order, so that both directions are one flow.
using Flow = std::tuple<std::string, std::string, unsigned>;
struct Decoded {
    Flow flow;
    std::uint64_t payload_hash = 0;
    friend auto operator<=>(const Decoded&, const Decoded&) = default;
};

std::string end_of(const wire::Address& address, std::uint16_t port) {
    std::string out(reinterpret_cast<const char*>(&address), sizeof address);  // NOLINT: as bytes
    return out + std::to_string(port);
}

// A capture holds a handful of fragments, and a half is made nine times for each of 480 captures.
constexpr wire::FragmentLimits kFewFragments{.datagrams_max = 256, .pool_bytes = std::size_t{1} << 20};

// One worker's half: a decoder with its own reassembly.
class Half {
  public:
    void take(const Kept& frame) {
        wire::PacketView view;
        const auto result =
            decoder_.decode(frame.bytes, frame.wire_bytes, frame.link, frame.time, view);
        if (result != wire::DecodeResult::ok) return;
        std::string one = end_of(view.source, view.source_port);
        std::string two = end_of(view.target, view.target_port);
        if (two < one) one.swap(two);
        decoded.push_back({{one, two, view.protocol}, hash64(view.payload, 3)});
    }
    std::vector<Decoded> decoded;

  private:
    wire::Decoder decoder_{kFewFragments};
};

struct Halves final : Distributor::Target {
    explicit Halves(unsigned workers) : halves(workers) {}
    void deliver(void* packet, unsigned worker) noexcept override {
        halves[worker].take(*static_cast<const Kept*>(packet));
    }
    std::vector<Half> halves;
};

void check(const std::string& path, unsigned workers, std::size_t& flows) {
    std::vector<Kept> frames = read_all(path);
    Half one;
    for (const Kept& frame : frames) one.take(frame);
    Halves many(workers);
    Distributor distributor(workers, {});
    for (Kept& frame : frames) {
        distributor.offer(&frame, wire::peek(frame.bytes, frame.link), frame.time, many);
    }
    distributor.flush(many);
    std::vector<Decoded> all;
    std::map<Flow, std::set<std::size_t>> owners;
    for (std::size_t i = 0; i < workers; ++i) {
        const auto& decoded = many.halves[i].decoded;
        all.insert(all.end(), decoded.begin(), decoded.end());
        for (const Decoded& packet : decoded) owners[packet.flow].insert(i);
    }
    for (const auto& [flow, where] : owners) {
        EXPECT_EQ(where.size(), 1u) << path << ": a flow of " << workers << " workers is split";
    }
    flows += owners.size();
    std::sort(all.begin(), all.end());
    std::sort(one.decoded.begin(), one.decoded.end());
    EXPECT_EQ(all == one.decoded, true)
        << path << ": " << one.decoded.size() << " packets with one worker, " << all.size() << " with "
        << workers;
}

void check_folder(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not here";
    std::size_t captures = 0;
    std::size_t flows = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string end = entry.path().extension();
        if (end != ".pcap" && end != ".pcapng" && end != ".cap") continue;
        ++captures;
        for (const unsigned workers : {2u, 5u}) check(entry.path().string(), workers, flows);
    }
    EXPECT_GT(captures, 0u);
    std::printf("%zu captures, %zu flows in all, each at one worker of 2 and of 5\n", captures,
                flows / 2);
}

TEST(Steering, IsFlowTrueOverTheVectors) {
    check_folder(SEINE_SOURCE_DIR "/../shared/vectors/pcap");
}
TEST(Steering, IsFlowTrueOverTheCorpus) {
    check_folder(SEINE_SOURCE_DIR "/../shared/corpus/pcap");
}

}  // namespace
}  // namespace seine::runtime
