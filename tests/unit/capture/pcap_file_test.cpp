// Capture files: every byte order, unit and link type, and one clear line for each way to be
// broken.
#include "dataplane/capture/pcap_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/capture/pcap_writer.h"

namespace seine::capture {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

// A folder of the test's own, gone afterwards.
class PcapFileTest : public testing::Test {
  protected:
    PcapFileTest() {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::temp_directory_path() /
                  ("seine-capture-" + std::to_string(getpid()) + "-" + info->name());
        fs::create_directories(folder_);
    }
    ~PcapFileTest() override { fs::remove_all(folder_); }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::string save(const std::string& name, const Bytes& bytes) const {
        std::ofstream out(path(name), std::ios::binary);
        std::for_each(bytes.begin(), bytes.end(),
                      [&out](std::uint8_t b) { out.put(static_cast<char>(b)); });
        return path(name);
    }
    static Bytes load(const std::string& name) {
        std::ifstream in(name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    fs::path folder_;
};

void put(Bytes& out, std::uint64_t value, int width, bool big) {
    for (int i = 0; i < width; ++i) {
        const int shift = 8 * (big ? width - 1 - i : i);
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

Bytes pcap_header(std::uint32_t magic, bool big, std::uint32_t link = 1,
                  std::uint32_t snapshot = 65535) {
    Bytes out;
    put(out, magic, 4, big);
    put(out, 2, 2, big);
    put(out, 4, 2, big);
    put(out, 0, 8, big);
    put(out, snapshot, 4, big);
    put(out, link, 4, big);
    return out;
}

void put_packet(Bytes& out, bool big, std::uint32_t seconds, std::uint32_t fraction,
                const Bytes& bytes, std::size_t wire_bytes) {
    put(out, seconds, 4, big);
    put(out, fraction, 4, big);
    put(out, bytes.size(), 4, big);
    put(out, wire_bytes, 4, big);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

constexpr std::uint32_t kMicros = 0xa1b2c3d4;
constexpr std::uint32_t kNanos = 0xa1b23c4d;

TEST_F(PcapFileTest, ReadsBothByteOrdersAndUnits) {
    for (const bool big : {false, true}) {
        for (const std::uint32_t magic : {kMicros, kNanos}) {
            Bytes bytes = pcap_header(magic, big);
            put_packet(bytes, big, 1700000000, 123456, {1, 2, 3}, 3);
            put_packet(bytes, big, 1700000001, 999999, {4, 5}, 1500);
            auto file = PcapFile::open(save("a.pcap", bytes));
            ASSERT_TRUE(file) << file.error().message();
            CapturedFrame frame;
            ASSERT_EQ(file->next(frame), Next::frame);
            EXPECT_EQ(Bytes(frame.bytes.begin(), frame.bytes.end()), (Bytes{1, 2, 3}));
            EXPECT_EQ(frame.wire_bytes, 3u);
            EXPECT_EQ(frame.link, wire::LinkType::ethernet);
            EXPECT_EQ(frame.time.count,
                      1700000000 * kSecond + (magic == kNanos ? 123456 : 123456000));
            ASSERT_EQ(file->next(frame), Next::frame);
            EXPECT_EQ(frame.bytes.size(), 2u);
            EXPECT_EQ(frame.wire_bytes, 1500u);
            EXPECT_EQ(file->next(frame), Next::end);
            EXPECT_EQ(file->next(frame), Next::end);
            EXPECT_EQ(file->frame_count(), 2u);
        }
    }
}

Bytes block(std::uint32_t type, Bytes body) {
    while (body.size() % 4 != 0) body.push_back(0);
    Bytes out;
    put(out, type, 4, false);
    put(out, body.size() + 12, 4, false);
    out.insert(out.end(), body.begin(), body.end());
    put(out, body.size() + 12, 4, false);
    return out;
}

TEST_F(PcapFileTest, ReadsPcapngWithNanoseconds) {
    Bytes section;
    put(section, 0x1a2b3c4d, 4, false);
    put(section, 1, 4, false);
    put(section, ~std::uint64_t{0}, 8, false);
    Bytes interface = {101, 0, 0, 0, 0xff, 0xff, 0, 0, 9, 0,
                       1,   0, 9, 0, 0,    0,    0, 0, 0, 0};  // raw IP, 10^-9
    Bytes packet;
    const std::uint64_t time = 1'700'000'000'123'456'789;
    put(packet, 0, 4, false);
    put(packet, time >> 32, 4, false);
    put(packet, time & 0xffffffff, 4, false);
    put(packet, 5, 4, false);
    put(packet, 40, 4, false);
    packet.insert(packet.end(), {0x45, 1, 2, 3, 4});
    Bytes bytes = block(0x0a0d0d0a, section);
    for (const Bytes& part : {block(1, interface), block(6, packet)})
        bytes.insert(bytes.end(), part.begin(), part.end());
    auto file = PcapFile::open(save("a.pcapng", bytes));
    ASSERT_TRUE(file) << file.error().message();
    CapturedFrame frame;
    ASSERT_EQ(file->next(frame), Next::frame);
    EXPECT_EQ(frame.time.count, static_cast<std::int64_t>(time));
    EXPECT_EQ(frame.link, wire::LinkType::raw_ip);
    EXPECT_EQ(frame.bytes.size(), 5u);
    EXPECT_EQ(frame.wire_bytes, 40u);
    EXPECT_EQ(file->next(frame), Next::end);
}

TEST_F(PcapFileTest, MapsEveryLinkTypeThatIsReadAndNamesTheOthers) {
    for (const std::uint32_t number : {0u, 1u, 9u, 50u, 101u, 108u, 113u, 228u, 229u, 239u, 276u}) {
        wire::LinkType expected{};
        ASSERT_TRUE(wire::link_type_of(number, expected));
        auto file = PcapFile::open(save("a.pcap", pcap_header(kMicros, false, number)));
        ASSERT_TRUE(file) << number << ": " << file.error().message();
        EXPECT_EQ(file->link(), expected) << number;
    }
    const std::string name = save("radio.pcap", pcap_header(kMicros, false, 127));
    const auto file = PcapFile::open(name);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message().find(name + ": link type 127 (IEEE802_11_RADIO) is not read"),
              0u)
        << file.error().message();
}

TEST_F(PcapFileTest, SaysWhyAFileCannotBeOpened) {
    const auto message_of = [](const std::string& name) {
        const auto file = PcapFile::open(name);
        EXPECT_FALSE(file);
        return file ? std::string() : file.error().message();
    };
    EXPECT_EQ(message_of(path("none.pcap")),
              path("none.pcap") + ": cannot be read: No such file or directory");
    EXPECT_EQ(message_of(fs::path(path("x")).parent_path().string()),
              fs::path(path("x")).parent_path().string() + ": cannot be read: it is a directory");
    EXPECT_EQ(message_of(save("empty.pcap", {})), path("empty.pcap") + ": is empty");
    EXPECT_EQ(message_of(save("text.pcap", Bytes(100, 'x'))),
              path("text.pcap") + ": is no capture file (neither pcap nor pcapng)");
    Bytes header = pcap_header(kMicros, false);
    for (std::size_t count = 1; count < header.size(); ++count) {
        const Bytes part(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_EQ(message_of(save("cut.pcap", part)),
                  path("cut.pcap") + ": is cut inside the file header");
    }
}

// The packets before the cut are given out, then one line says where the file ends.
TEST_F(PcapFileTest, ACutFileYieldsItsGoodPart) {
    Bytes bytes = pcap_header(kMicros, false);
    std::vector<std::size_t> ends = {bytes.size()};
    for (int i = 0; i < 3; ++i) {
        put_packet(bytes, false, 1700000000, 0, Bytes(20, 7), 20);
        ends.push_back(bytes.size());
    }
    for (std::size_t count = ends[0]; count <= bytes.size(); ++count) {
        const std::string name =
            save("cut.pcap", {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)});
        const auto whole = static_cast<std::size_t>(
            std::upper_bound(ends.begin(), ends.end(), count) - ends.begin() - 1);
        auto file = PcapFile::open(name);
        ASSERT_TRUE(file);
        CapturedFrame frame;
        for (std::size_t i = 0; i < whole; ++i) ASSERT_EQ(file->next(frame), Next::frame);
        if (count == ends[whole]) {
            EXPECT_EQ(file->next(frame), Next::end);
            continue;
        }
        ASSERT_EQ(file->next(frame), Next::error);
        const std::string before =
            whole == 1 ? "the packet before it was read"
                       : "the " + std::to_string(whole) + " packets before it were read";
        EXPECT_EQ(file->error(), name + ": cut in the middle of packet " +
                                     std::to_string(whole + 1) + "; " + before);
        EXPECT_EQ(file->next(frame), Next::error);
    }
}

TEST_F(PcapFileTest, AnImpossibleLengthIsABrokenPacket) {
    Bytes bytes = pcap_header(kMicros, false);
    put_packet(bytes, false, 1, 0, {1}, 1);
    put(bytes, 1, 4, false);
    put(bytes, 0, 4, false);
    put(bytes, 0x7fffffff, 4, false);
    put(bytes, 0x7fffffff, 4, false);
    auto file = PcapFile::open(save("a.pcap", bytes));
    ASSERT_TRUE(file);
    CapturedFrame frame;
    ASSERT_EQ(file->next(frame), Next::frame);
    ASSERT_EQ(file->next(frame), Next::error);
    EXPECT_NE(file->error().find("broken at packet 2 ("), std::string::npos) << file->error();
    EXPECT_NE(file->error().find("; the packet before it was read"), std::string::npos);
}

TEST_F(PcapFileTest, TimesPastWhatCanBeCountedAreHeldInside) {
    Bytes bytes = pcap_header(kNanos, false);
    put_packet(bytes, false, 0xffffffff, 0xffffffff, {1}, 1);
    auto file = PcapFile::open(save("a.pcap", bytes));
    ASSERT_TRUE(file);
    CapturedFrame frame;
    ASSERT_EQ(file->next(frame), Next::frame);
    EXPECT_GE(frame.time.count, 0);
}

TEST_F(PcapFileTest, WireLengthIsNeverLessThanCaptured) {
    Bytes bytes = pcap_header(kMicros, false);
    put_packet(bytes, false, 1, 0, Bytes(60), 10);
    auto file = PcapFile::open(save("a.pcap", bytes));
    ASSERT_TRUE(file);
    CapturedFrame frame;
    ASSERT_EQ(file->next(frame), Next::frame);
    EXPECT_EQ(frame.wire_bytes, 60u);
}

TEST_F(PcapFileTest, ReadsWhatTheWriterWrites) {
    for (const TimeUnit unit : {TimeUnit::micros, TimeUnit::nanos}) {
        for (std::uint8_t i = 0; i < wire::kLinkTypeCount; ++i) {
            const auto link = static_cast<wire::LinkType>(i);
            auto writer = PcapWriter::create(path("w.pcap"), link, unit);
            ASSERT_TRUE(writer);
            const Bytes bytes = {9, 8, 7};
            ASSERT_TRUE(writer->write(bytes, {1'700'000'000'123'456'789}).ok());
            ASSERT_TRUE(writer->write({}, {5}, 77).ok());
            ASSERT_TRUE(writer->close().ok());
            auto file = PcapFile::open(path("w.pcap"));
            ASSERT_TRUE(file) << file.error().message();
            EXPECT_EQ(file->link(), link);
            CapturedFrame frame;
            ASSERT_EQ(file->next(frame), Next::frame);
            EXPECT_EQ(frame.time.count, unit == TimeUnit::nanos ? 1'700'000'000'123'456'789
                                                                : 1'700'000'000'123'456'000);
            EXPECT_TRUE(
                std::equal(bytes.begin(), bytes.end(), frame.bytes.begin(), frame.bytes.end()));
            ASSERT_EQ(file->next(frame), Next::frame);
            EXPECT_EQ(frame.bytes.size(), 0u);
            EXPECT_EQ(frame.wire_bytes, 77u);
            EXPECT_EQ(file->next(frame), Next::end);
        }
    }
}

TEST_F(PcapFileTest, WriterSaysWhyItCannotWrite) {
    const auto writer = PcapWriter::create(path("no/such/folder.pcap"));
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().message(),
              path("no/such/folder.pcap") + ": cannot be written: No such file or directory");
    auto full = PcapWriter::create("/dev/full");
    Status status;
    if (full) status = full->close();
    EXPECT_TRUE(!full || !status.ok());
}

TEST_F(PcapFileTest, DashIsStandardInput) {
    Bytes bytes = pcap_header(kMicros, false);
    put_packet(bytes, false, 1, 0, {1, 2}, 2);
    const std::string name = save("in.pcap", bytes);
    ASSERT_NE(std::freopen(name.c_str(), "rb", stdin), nullptr);
    auto file = PcapFile::open("-");
    ASSERT_TRUE(file) << file.error().message();
    CapturedFrame frame;
    EXPECT_EQ(file->next(frame), Next::frame);
    EXPECT_EQ(file->next(frame), Next::end);
    // And what it says of a broken one.
    ASSERT_NE(std::freopen(save("bad", Bytes(50, 1)).c_str(), "rb", stdin), nullptr);
    const auto bad = PcapFile::open("-");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message(),
              "standard input: is no capture file (neither pcap nor pcapng)");
}

}  // namespace
}  // namespace seine::capture
