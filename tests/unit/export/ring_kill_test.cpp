// kill -9 of either end, again and again, while the other works on: what was in the ring is had.
#include <chrono>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "dataplane/export/ring_file.h"
#include "dataplane/export/ring_reader.h"
#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

constexpr int kKills = 10;
constexpr std::size_t kBatch = 64;

RingWriterConfig config_for(const std::string& path) {
    RingWriterConfig config;
    config.path = path;
    config.data_bytes = std::size_t{1} << 20;
    return config;
}

// A frame that can be checked: its number, then a pattern of a length that follows from the number.
Bytes numbered(std::uint64_t number) {
    Bytes out(8 + number * 37 % 900);
    std::memcpy(out.data(), &number, 8);
    for (std::size_t i = 8; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(number + i);
    return out;
}
bool is_numbered(ByteView frame) {
    if (frame.size() < 8) return false;
    const Bytes want = numbered(load_le64(frame.data()));
    return want.size() == frame.size() && std::equal(frame.begin(), frame.end(), want.begin());
}

void nap(int microseconds) { std::this_thread::sleep_for(std::chrono::microseconds(microseconds)); }

// Kills `child` after its time and waits for it; true when the kill was what ended it.
bool kill_after(pid_t child, int milliseconds) {
    nap(milliseconds * 1000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// What a reader process does for ever: reads a batch, writes the numbers down, commits. `journal`
// stands for its store.
[[noreturn]] void read_for_ever(const std::string& ring, int journal) {
    auto opened = RingReader::open(ring);
    if (!opened.has_value()) ::_exit(2);
    std::vector<std::uint64_t> batch;
    while (true) {
        batch.clear();
        RingEntry entry;
        Parse parse = Parse::ok;
        while (batch.size() < kBatch && (parse = (*opened)->next(entry)) == Parse::ok) {
            if (!is_numbered(entry.frame) || load_le64(entry.frame.data()) != entry.sequence)
                ::_exit(3);
            batch.push_back(entry.sequence);
        }
        if (parse == Parse::malformed) ::_exit(4);
        const std::size_t bytes = batch.size() * sizeof(std::uint64_t);
        if (bytes > 0 && ::write(journal, batch.data(), bytes) != static_cast<ssize_t>(bytes))
            ::_exit(5);
        (*opened)->commit();
        if (batch.empty()) nap(200);
    }
}

TEST(RingFileKill, AReaderKilledTenTimesMissesNothingAndRepeatsOneBatchAtMost) {
    const Folder folder;
    const std::string ring = folder.file("ring");
    auto opened = RingWriter::open(config_for(ring));
    ASSERT_TRUE(opened.has_value());
    RingWriter& writer = **opened;
    const int journal =
        ::open(folder.file("journal").c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    ASSERT_GE(journal, 0);

    std::atomic<bool> stop{false};
    std::uint64_t offered = 0;
    std::thread producer([&] {
        while (!stop) {
            // The test wants no drops: it paces itself by the room, which a dataplane never does.
            if (writer.unread_bytes() > (std::size_t{1} << 20) - 8192) {
                nap(100);
                continue;
            }
            EXPECT_TRUE(writer.write(numbered(offered), 0));
            ++offered;
        }
    });
    for (int i = 0; i < kKills; ++i) {
        const pid_t child = ::fork();
        if (child == 0) read_for_ever(ring, journal);
        EXPECT_TRUE(kill_after(child, 15 + i * 7));
    }
    stop = true;
    producer.join();

    auto last = RingReader::open(ring);
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ((*last)->totals().lost, 0u);
    std::vector<std::uint8_t> had(offered, 0);
    std::uint64_t repeats = 0;
    std::uint64_t sequence = 0;
    ASSERT_EQ(::lseek(journal, 0, SEEK_SET), 0);
    // A kill can cut a write at a page, which is a whole number of numbers: part of a batch, had
    // again later.
    while (::read(journal, &sequence, sizeof sequence) == static_cast<ssize_t>(sizeof sequence)) {
        ASSERT_LT(sequence, offered);
        repeats += had[sequence];
        had[sequence] = 1;
    }
    ::close(journal);
    RingEntry entry;
    while ((*last)->next(entry) == Parse::ok) {
        EXPECT_TRUE(is_numbered(entry.frame));
        repeats += had[entry.sequence];
        had[entry.sequence] = 1;
    }
    const auto missing = static_cast<std::uint64_t>(std::count(had.begin(), had.end(), 0));
    EXPECT_EQ(missing, 0u);
    EXPECT_LE(repeats, kKills * kBatch);
    EXPECT_EQ((*last)->totals().lost + (*last)->lost_at_end(), 0u);
    EXPECT_GT(offered, 1000u);
    RecordProperty("frames", static_cast<int>(offered));
    RecordProperty("repeats", static_cast<int>(repeats));
}

TEST(RingFileKill, AWriterKilledTenTimesLosesNothingThatWasInTheRing) {
    const Folder folder;
    const std::string ring = folder.file("ring");
    RingWriter::open(config_for(ring)).value().reset();
    auto opened = RingReader::open(ring);
    ASSERT_TRUE(opened.has_value());
    RingReader& reader = **opened;

    std::uint64_t read = 0;
    const auto read_all = [&] {
        RingEntry entry;
        Parse parse = Parse::ok;
        while ((parse = reader.next(entry)) == Parse::ok) {
            EXPECT_TRUE(is_numbered(entry.frame));
            ++read;
        }
        EXPECT_EQ(parse, Parse::need_more);
        reader.commit();
    };
    std::uint32_t epoch = reader.epoch();
    for (int i = 0; i < kKills; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto mine = RingWriter::open(config_for(ring));
            if (!mine.has_value()) ::_exit(2);
            for (std::uint64_t number = 0;; ++number)
                static_cast<void>((*mine)->write(numbered(number), 0));
        }
        while (reader.epoch() == epoch) nap(100);  // it is at work
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(10 + i * 5);
        while (std::chrono::steady_clock::now() < until) read_all();
        EXPECT_TRUE(kill_after(child, 1));
        EXPECT_EQ(reader.epoch(), epoch + 1) << "each start is a new epoch";
        epoch = reader.epoch();
    }
    // The next writer finds the ring sound, and the accounts of both ends agree to the frame.
    auto last = RingWriter::open(config_for(ring));
    ASSERT_TRUE(last.has_value());
    EXPECT_TRUE((*last)->found().carried_on);
    EXPECT_TRUE((*last)->found().set_aside.empty());
    EXPECT_FALSE((*last)->found().closed_well);
    const std::uint64_t before = read;
    read_all();
    EXPECT_EQ(read - before, (*last)->found().unread_frames);
    ASSERT_TRUE((*last)->write(numbered(1), 0));
    read_all();
    EXPECT_EQ(read - before, (*last)->found().unread_frames + 1);
    EXPECT_EQ(reader.totals().read, read);
    EXPECT_EQ(reader.lost_at_end(), 0u);
    // A kill between a store of the ring and its count may leave one frame uncounted, a life each.
    const std::uint64_t written = (*last)->counter(0, RingCounter::frames_written);
    const std::uint64_t dropped = (*last)->counter(0, RingCounter::dropped_ring_full);
    EXPECT_LE(written, read);
    EXPECT_LE(read, written + kKills);
    EXPECT_LE(dropped, reader.totals().lost);
    EXPECT_LE(reader.totals().lost, dropped + kKills);
    EXPECT_GT(read, 1000u);
}

}  // namespace
}  // namespace seine::exporting
