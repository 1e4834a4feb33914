// Counts allocations while the inspector sees packets: after start there must be none.
#include <execinfo.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/base/byte_ring.h"
#include "dataplane/capture/pcap_file.h"
#include "dataplane/pipeline/inspector.h"

// The C library's own functions under the names that it exports for wrappers such as these.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> allocations{0};

void note_allocation() {
    if (!counting.load(std::memory_order_relaxed)) return;
    if (allocations.fetch_add(1) < 3) {
        counting = false;  // the trace may allocate itself
        void* frames[24];
        const int depth = backtrace(frames, 24);
        backtrace_symbols_fd(frames, depth, STDERR_FILENO);
        counting = true;
    }
}

}  // namespace

// Every way to the heap, for this program and the libraries it links; operator new ends here too.
extern "C" {
void* malloc(std::size_t bytes) {
    note_allocation();
    return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    note_allocation();
    return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
    note_allocation();
    return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
    note_allocation();
    return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    note_allocation();
    return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
    note_allocation();
    *out = __libc_memalign(alignment, bytes);
    return *out == nullptr ? ENOMEM : 0;
}
}

namespace seine {
namespace {

namespace fs = std::filesystem;

struct StoredFrame {
    std::vector<std::uint8_t> bytes;
    std::uint32_t wire_bytes = 0;
    wire::LinkType link{};
    Nanos time;
};

std::vector<StoredFrame> load(const fs::path& path) {
    std::vector<StoredFrame> frames;
    auto file = capture::PcapFile::open(path.string());
    if (!file) return frames;
    capture::CapturedFrame at;
    while (file->next(at) == capture::Next::frame)
        frames.push_back({{at.bytes.begin(), at.bytes.end()}, at.wire_bytes, at.link, at.time});
    return frames;
}

std::vector<fs::path> captures_below(const fs::path& folder) {
    std::vector<fs::path> found;
    if (!fs::exists(folder)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const auto ending = entry.path().extension();
        if (ending == ".pcap" || ending == ".pcapng" || ending == ".cap") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

void drain(ByteRing& ring, std::size_t& records) {
    while (!ring.front().empty()) {
        ++records;
        ring.release();
    }
}

pipeline::InspectorConfig small_config() {
    pipeline::InspectorConfig config;
    config.limits.flows_max = 1u << 14;
    config.limits.cold_flows_max = 1u << 12;
    config.limits.stream_pool_bytes = std::size_t{32} << 20;
    config.limits.exchange_blocks_max = 1u << 12;
    config.limits.h2_connections_max = 256;
    config.records_all = true;
    return config;
}

// Packets seen while allocations were counted.
std::size_t inspect_all(pipeline::Inspector& inspector, ByteRing& ring, const std::vector<StoredFrame>& stored,
                        std::size_t& records) {
    constexpr std::size_t kBurst = 32;
    for (std::size_t at = 0; at < stored.size(); at += kBurst) {
        pipeline::Frame frames[kBurst];
        std::size_t count = 0;
        for (; count < kBurst && at + count < stored.size(); ++count) {
            const StoredFrame& frame = stored[at + count];
            frames[count] = {frame.bytes, frame.wire_bytes, frame.link, frame.time};
        }
        counting = true;
        inspector.inspect({frames, count});
        counting = false;
        drain(ring, records);
    }
    bool done = false;
    while (!done) {
        counting = true;
        done = inspector.finish(64);
        counting = false;
        drain(ring, records);
    }
    return stored.size();
}

void expect_none_over(const std::vector<fs::path>& captures) {
    void* warm[4];
    static_cast<void>(backtrace(warm, 4));  // its first call loads a library
    ByteRing ring(std::size_t{16} << 20);
    auto inspector = pipeline::Inspector::make(small_config(), ring);
    ASSERT_TRUE(inspector) << inspector.error().message();
    std::size_t packets = 0;
    std::size_t records = 0;
    for (const auto& path : captures) {
        const auto frames = load(path);
        const std::size_t before = allocations;
        packets += inspect_all(**inspector, ring, frames, records);
        EXPECT_EQ(allocations - before, 0u) << path.filename();
    }
    EXPECT_GT(packets, 0u);
    EXPECT_GT(records, 0u);
    std::printf("%zu captures, %zu packets, %zu records\n", captures.size(), packets, records);
}

TEST(PacketPath, CountsAnAllocationWhenThereIsOne) {
    const std::size_t before = allocations;
    counting = true;
    auto* kept = new std::vector<int>(100);
    counting = false;
    EXPECT_GE(allocations - before, 2u);
    delete kept;
}

TEST(PacketPath, AllocatesNothingOverTheGoldenCaptures) {
    expect_none_over(captures_below(fs::path(SEINE_SOURCE_DIR) / "tests" / "golden"));
}

TEST(PacketPath, AllocatesNothingOverTheSharedCaptures) {
    const fs::path shared = fs::path(SEINE_SOURCE_DIR) / ".." / "shared";
    auto captures = captures_below(shared / "vectors" / "pcap");
    const auto corpus = captures_below(shared / "corpus" / "pcap");
    captures.insert(captures.end(), corpus.begin(), corpus.end());
    if (captures.empty()) GTEST_SKIP() << "../shared is not beside this checkout";
    expect_none_over(captures);
}

}  // namespace
}  // namespace seine
