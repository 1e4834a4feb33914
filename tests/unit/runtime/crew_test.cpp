// Capture files through DPDK's pcap driver to workers: nothing lost, nothing changed, flows together.
#include "dataplane/runtime/crew.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "dataplane/runtime/pcap_feed.h"
#include "tests/unit/runtime/captures.h"

namespace seine::runtime {
namespace {

using runtime_test::Made;
using runtime_test::Seen;
using runtime_test::udp_frame;
using runtime_test::write_capture;

constexpr Nanos kStart{1'700'000'000'123'456'789};

struct Outcome {
    std::vector<Seen> frames;  // in order of the rings
    std::size_t closed = 0;
    std::vector<std::string> problems;
    Snapshot snapshot;
};

struct Way {
    unsigned workers = 1;
    std::size_t ring_bytes = std::size_t{1} << 20;
    bool read_late = false;    // nothing is read before a worker has waited for room
    bool stop_at_once = false;
};

std::uint64_t total(const Snapshot& snapshot, const std::string& name) {
    for (const NamedCount& count : snapshot.totals()) {
        if (count.name == name) return count.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
}

Outcome run(std::vector<std::string> paths, const Way& way = {}) {
    Outcome out;
    CrewConfig config;
    config.workers = way.workers;
    config.record_ring_bytes = way.ring_bytes;
    auto crew = Crew::for_files(runtime_test::eal(), config, std::move(paths));
    EXPECT_TRUE(crew) << crew.error().message();
    if (!crew) return out;
    if (way.stop_at_once) (*crew)->stop();
    EXPECT_TRUE((*crew)->start().ok());
    for (int tries = 0; way.read_late && tries < 60'000 && total((*crew)->snapshot(), "record_ring_waits") == 0; ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (bool last = false; !last;) {
        last = (*crew)->done();
        for (const auto& worker : (*crew)->workers()) {
            for (ByteView record = worker->records().front(); !record.empty();
                 record = worker->records().front()) {
                const Seen seen = runtime_test::seen_of(record);
                worker->records().release();
                if (seen.kind == 0) out.frames.push_back(seen);
                if (seen.kind == 1) ++out.closed;
            }
        }
        std::this_thread::yield();
    }
    runtime_test::eal().join();
    out.problems = (*crew)->problems();
    out.snapshot = (*crew)->snapshot();
    return out;
}

std::vector<Seen> without_worker(std::vector<Seen> frames) {
    for (Seen& seen : frames) seen.worker = 0;
    std::sort(frames.begin(), frames.end());
    return frames;
}

std::vector<Made> mixed_frames(std::size_t count) {
    std::vector<Made> frames;
    for (std::size_t i = 0; i < count; ++i) {
        const auto flow = static_cast<unsigned>(i * 7 % 97);
        frames.push_back({udp_frame(60 + i * 37 % 1400, flow, i % 2 == 1),
                          kStart + static_cast<std::int64_t>(i) * 1001, 0});
    }
    return frames;
}

TEST(FileCrew, DeliversEveryFrameInOrderWithExactTimes) {
    const auto frames = mixed_frames(5000);
    const Outcome out = run({write_capture("plain.pcap", frames)});
    EXPECT_EQ(out.problems, std::vector<std::string>{});
    ASSERT_EQ(out.frames.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        ASSERT_EQ(out.frames[i], runtime_test::wanted(frames[i])) << "frame " << i;
    }
    EXPECT_EQ(out.closed, 1000u);
    EXPECT_EQ(out.snapshot.ports.at(0).counters.ipackets, frames.size());
    EXPECT_EQ(out.snapshot.ports.at(0).counters.rx_nombuf, 0u);
    EXPECT_EQ(total(out.snapshot, "packets"), frames.size());
    EXPECT_EQ(total(out.snapshot, "packets_received"), frames.size());
    EXPECT_EQ(runtime_test::last_advance(), frames.back().time) << "timers run to the end of the input";
}

TEST(FileCrew, KeepsLinkTypeAndWireLength) {
    std::vector<Made> frames = mixed_frames(10);
    for (Made& frame : frames) frame.bytes.erase(frame.bytes.begin(), frame.bytes.begin() + 14);
    frames[3].wire_bytes = 9000;
    const Outcome out = run({write_capture("raw.pcap", frames, wire::LinkType::raw_ip)});
    ASSERT_EQ(out.frames.size(), 10u);
    EXPECT_EQ(out.frames[3], runtime_test::wanted(frames[3], wire::LinkType::raw_ip));
}

TEST(FileCrew, LinearisesFramesOfSeveralBuffers) {
    std::vector<Made> frames;
    for (const std::size_t bytes : {1920u, 1921u, 2047u, 2048u, 4096u, 9018u, 65535u, 65536u, 65537u,
                                    65600u, 131072u, 200000u, 262144u, 60u}) {
        frames.push_back({udp_frame(bytes, 1), kStart + static_cast<std::int64_t>(bytes), 0});
        // Different bytes everywhere, so that a swapped piece is noticed.
        for (std::size_t i = 42; i < bytes; ++i) {
            frames.back().bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
        }
    }
    for (const unsigned workers : {1u, 3u}) {
        Way way;
        way.workers = workers;
        const Outcome out = run({write_capture("jumbo.pcap", frames)}, way);
        EXPECT_EQ(out.problems, std::vector<std::string>{});
        std::vector<Seen> all;
        for (const Made& frame : frames) all.push_back(runtime_test::wanted(frame));
        EXPECT_EQ(without_worker(out.frames), without_worker(all));
        EXPECT_EQ(total(out.snapshot, "packets_linearised"), 9u) << "those past 2,048 bytes";
        EXPECT_EQ(total(out.snapshot, "packets_oversize"), 0u);
    }
}

TEST(FileCrew, ManyWorkersSeeWhatOneSeesAndEachFlowMeetsAtOne) {
    const auto frames = mixed_frames(20000);
    const std::string path = write_capture("many.pcap", frames);
    const auto one = without_worker(run({path}).frames);
    ASSERT_EQ(one.size(), frames.size());
    for (const unsigned workers : {2u, 4u, 5u}) {
        Way way;
        way.workers = workers;
        const Outcome out = run({path}, way);
        EXPECT_EQ(without_worker(out.frames), one) << workers << " workers";
        std::map<std::int64_t, unsigned> flow_of;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            flow_of[frames[i].time.count] = static_cast<unsigned>(i * 7 % 97);
        }
        std::map<unsigned, std::set<unsigned>> workers_of;
        std::map<unsigned, std::int64_t> last_of;
        for (const Seen& seen : out.frames) {
            const unsigned flow = flow_of.at(seen.time);
            workers_of[flow].insert(seen.worker);
            EXPECT_GT(seen.time, last_of[flow]) << "order inside a flow";
            last_of[flow] = seen.time;
        }
        std::set<unsigned> used;
        for (const auto& [flow, owners] : workers_of) {
            EXPECT_EQ(owners.size(), 1u) << "flow " << flow;
            used.insert(*owners.begin());
        }
        EXPECT_EQ(used.size(), workers) << "no worker idles";
        EXPECT_EQ(out.snapshot.receiver.empty(), false);
    }
}

TEST(FileCrew, WaitsForASlowReaderInsteadOfLosingRecords) {
    const auto frames = mixed_frames(60000);
    for (const unsigned workers : {1u, 2u}) {
        Way way;
        way.workers = workers;
        way.ring_bytes = 64 * 1024;
        way.read_late = true;
        const Outcome out = run({write_capture("slow.pcap", frames)}, way);
        EXPECT_EQ(out.frames.size(), frames.size());
        EXPECT_EQ(total(out.snapshot, "records_dropped_ring_full"), 0u);
        EXPECT_GT(total(out.snapshot, "record_ring_waits"), 0u);
    }
}

TEST(FileCrew, ReadsSeveralFilesAsOneStream) {
    const auto frames = mixed_frames(300);
    const std::vector<Made> first(frames.begin(), frames.begin() + 120);
    const std::vector<Made> second(frames.begin() + 120, frames.end());
    const Outcome out = run({write_capture("a,b=c [0].pcap", first), write_capture("second.pcap", second,
                             wire::LinkType::ethernet, capture::TimeUnit::nanos)});
    EXPECT_EQ(out.problems, std::vector<std::string>{});
    ASSERT_EQ(out.frames.size(), 300u);
    EXPECT_EQ(out.frames[299], runtime_test::wanted(frames[299]));
}

TEST(FileCrew, ManyFilesOneAfterAnother) {
    // More than DPDK has port numbers, were one taken a file.
    std::vector<std::string> paths(40, write_capture("again.pcap", mixed_frames(3)));
    EXPECT_EQ(run(paths).frames.size(), 120u);
}

TEST(FileCrew, SaysInOneLineWhatIsWrongAndReadsTheRest) {
    const auto frames = mixed_frames(50);
    const std::string good = write_capture("good.pcap", frames);
    const std::string cut = write_capture("cut.pcap", frames);
    std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 10);
    const std::string empty = runtime_test::folder() + "/empty.pcap";
    std::ofstream(empty).flush();
    const std::string absent = runtime_test::folder() + "/absent.pcap";
    for (const unsigned workers : {1u, 2u}) {
        Way way;
        way.workers = workers;
        const Outcome out = run({absent, cut, empty, runtime_test::folder(), good}, way);
        EXPECT_EQ(out.frames.size(), 49u + 50u);
        ASSERT_EQ(out.problems.size(), 4u);
        EXPECT_NE(out.problems[0].find("absent.pcap"), std::string::npos);
        EXPECT_NE(out.problems[1].find("cut.pcap: cut in the middle of packet 50"), std::string::npos);
        EXPECT_NE(out.problems[2].find("empty.pcap: is empty"), std::string::npos);
        EXPECT_NE(out.problems[3].find(runtime_test::folder()), std::string::npos);
        for (const std::string& line : out.problems) EXPECT_EQ(line.find('\n'), std::string::npos);
    }
}

TEST(FileCrew, RefusesWhatIsNoRegularFile) {
    const Outcome out = run({"/dev/null"});
    ASSERT_EQ(out.problems.size(), 1u);
    EXPECT_EQ(out.frames.size(), 0u);
}

TEST(FileCrew, StopsWhenAskedAndStillCloses) {
    const std::string path = write_capture("stop.pcap", mixed_frames(1000));
    for (const unsigned workers : {1u, 3u}) {
        Way way;
        way.workers = workers;
        way.stop_at_once = true;
        const Outcome out = run({path}, way);
        EXPECT_EQ(out.frames.size(), 0u);
        EXPECT_EQ(out.problems, std::vector<std::string>{});
    }
}

TEST(FileCrew, CountersCarryNameAndMeaning) {
    const Outcome out = run({write_capture("named.pcap", mixed_frames(3))});
    std::set<std::string> names;
    for (const NamedCount& count : out.snapshot.totals()) {
        EXPECT_TRUE(names.insert(count.name).second) << count.name << " twice";
        EXPECT_FALSE(count.meaning.empty()) << count.name;
    }
    EXPECT_TRUE(names.contains("decode_ok"));
}

TEST(CrewLimits, AreSharedAmongWorkers) {
    pipeline::Limits whole;
    whole.flows_max = 1000;
    const auto share = share_of(whole, 4);
    EXPECT_GE(share.flows_max, 250u);
    EXPECT_LT(share.flows_max, 500u);
    EXPECT_EQ(share.hello_bytes_max, whole.hello_bytes_max) << "a bound per flow is not divided";
    EXPECT_EQ(share_of(whole, 1).flows_max, 1000u);
}

TEST(Crew, SaysWhyAWorkerCannotBeMade) {
    CrewConfig config;
    config.inspector.limits.flows_max = 0;
    auto crew = Crew::for_files(runtime_test::eal(), config, {});
    ASSERT_FALSE(crew);
    EXPECT_EQ(crew.error().message(), "a flow table needs at least one flow");
}

}  // namespace
}  // namespace seine::runtime
