// The ring file: round trips, wrap, full, refusal of what is foreign or damaged, and exact loss.
#include "dataplane/export/ring_file.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "dataplane/export/ring_map.h"
#include "dataplane/base/byte_ring.h"
#include "dataplane/export/ring_reader.h"
#include "dataplane/export/ring_sink.h"
#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

RingWriterConfig config_for(const std::string& path) {
    RingWriterConfig config;
    config.path = path;
    config.data_bytes = kRingDataBytesMin;
    config.dataplane_id = 3;
    config.epoch = 100;
    return config;
}

// A payload that tells its number and length; the ring does not read frames.
Bytes payload(std::uint64_t number, std::size_t bytes) {
    Bytes out(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(number * 31 + i);
    return out;
}

std::uint64_t drops(const RingWriter& writer) {
    return writer.counter(0, RingCounter::dropped_ring_full);
}

class RingFile : public testing::Test {
  protected:
    std::unique_ptr<RingWriter> writer() {
        auto opened = RingWriter::open(config_for(path));
        EXPECT_TRUE(opened.has_value()) << (opened.has_value() ? "" : opened.error().message());
        return std::move(*opened);
    }
    std::unique_ptr<RingReader> reader() {
        auto opened = RingReader::open(path);
        EXPECT_TRUE(opened.has_value()) << (opened.has_value() ? "" : opened.error().message());
        return std::move(*opened);
    }
    std::string refused() {
        const auto opened = RingReader::open(path);
        EXPECT_FALSE(opened.has_value());
        return opened.has_value() ? "" : opened.error().message();
    }
    // Overwrites bytes of the file.
    void poke(std::uint64_t at, const void* bytes, std::size_t count) {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        EXPECT_EQ(::pwrite(fd, bytes, count, static_cast<off_t>(at)), static_cast<ssize_t>(count));
        ::close(fd);
    }
    const Folder folder;
    const std::string path = folder.file("ring");
};

TEST_F(RingFile, FramesOfAllSizesComeBackInOrderOverManyWraps) {
    auto out = writer();
    auto in = reader();
    std::uint64_t number = 0;
    for (int round = 0; round < 200; ++round) {
        for (std::size_t bytes = 1; bytes <= 4096; bytes += 97 + static_cast<std::size_t>(round)) {
            ASSERT_TRUE(out->write(payload(number, bytes), 0));
            RingEntry entry;
            ASSERT_EQ(in->next(entry), Parse::ok);
            EXPECT_EQ(entry.sequence, number);
            const Bytes want = payload(number, bytes);
            ASSERT_EQ(Bytes(entry.frame.begin(), entry.frame.end()), want);
            if (++number % 7 == 0) in->commit();
        }
    }
    RingEntry entry;
    EXPECT_EQ(in->next(entry), Parse::need_more);
    in->commit();
    EXPECT_EQ(in->totals().read, number);
    EXPECT_EQ(in->totals().lost, 0u);
    EXPECT_EQ(in->lost_at_end(), 0u);
    EXPECT_EQ(out->unread_bytes(), 0u);
    EXPECT_EQ(in->epoch(), 100u);
    EXPECT_EQ(in->dataplane_id(), 3u);
}

TEST_F(RingFile, EntriesLieAtMultiplesOf64Bytes) {
    auto out = writer();
    auto in = reader();
    for (std::size_t bytes = 1; bytes < 300; ++bytes)
        ASSERT_TRUE(out->write(payload(bytes, bytes), 0));
    RingEntry entry;
    ASSERT_EQ(in->next(entry), Parse::ok);
    const std::uint8_t* first = entry.frame.data();
    while (in->next(entry) == Parse::ok) EXPECT_EQ((entry.frame.data() - first) % 64, 0);
}

TEST_F(RingFile, AFullRingLosesTheNewcomerAndTheReaderKnowsHowMany) {
    auto out = writer();
    auto in = reader();
    std::uint64_t offered = 0;
    while (drops(*out) < 10) {
        static_cast<void>(out->write(payload(offered, 1000), 0));
        ++offered;
    }
    EXPECT_EQ(out->counter(0, RingCounter::frames_written) + 10, offered);
    RingEntry entry;
    std::uint64_t had = 0;
    while (in->next(entry) == Parse::ok) EXPECT_EQ(entry.sequence, had++);
    EXPECT_EQ(had, offered - 10);
    EXPECT_EQ(in->totals().lost, 0u);
    EXPECT_EQ(in->lost_at_end(), 10u) << "no later entry shows them yet";
    EXPECT_FALSE(out->write(payload(0, 1000), 0)) << "had is not committed";
    in->commit();
    ASSERT_TRUE(out->write(payload(0, 1000), 0));
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(entry.sequence, offered + 1);
    EXPECT_EQ(in->totals().lost, 11u);
    EXPECT_EQ(in->lost_at_end(), 0u);
}

TEST_F(RingFile, DropsAreCountedByWorkerAndReason) {
    auto out = writer();
    auto in = reader();
    EXPECT_FALSE(out->write(payload(0, 4097), 2));
    EXPECT_FALSE(out->write({}, 2));
    EXPECT_TRUE(out->write(payload(0, 4096), 5));
    out->set_counter(5, RingCounter::dropped_before_ring, 77);
    EXPECT_TRUE(out->write(payload(0, 10), 1000)) << "workers past the table share its last row";
    EXPECT_EQ(in->counter(2, RingCounter::dropped_too_long), 2u);
    EXPECT_EQ(in->counter(5, RingCounter::frames_written), 1u);
    EXPECT_EQ(in->counter(5, RingCounter::bytes_written), 4096u);
    EXPECT_EQ(in->counter(5, RingCounter::dropped_before_ring), 77u);
    EXPECT_EQ(in->counter(kRingWorkersMax - 1, RingCounter::frames_written), 1u);
    RingEntry entry;
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(in->totals().lost, 2u);
}

TEST_F(RingFile, AReaderThatComesAgainHasWhatItDidNotCommit) {
    auto out = writer();
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    {
        auto in = reader();
        RingEntry entry;
        for (int i = 0; i < 10; ++i) ASSERT_EQ(in->next(entry), Parse::ok);
        in->commit();
        for (int i = 0; i < 5; ++i) ASSERT_EQ(in->next(entry), Parse::ok);
    }
    auto in = reader();
    EXPECT_EQ(in->totals().read, 10u);
    RingEntry entry;
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(entry.sequence, 10u);
}

TEST_F(RingFile, AWriterCarriesOnWithWhatIsUnread) {
    {
        auto out = writer();
        for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
        out->close();
    }
    auto in = reader();
    EXPECT_TRUE(in->closed());
    RingEntry entry;
    for (int i = 0; i < 5; ++i) ASSERT_EQ(in->next(entry), Parse::ok);
    in->commit();
    auto out = writer();
    EXPECT_TRUE(out->found().carried_on);
    EXPECT_TRUE(out->found().closed_well);
    EXPECT_EQ(out->found().unread_frames, 15u);
    EXPECT_EQ(out->found().lost_in_flight, 0u);
    EXPECT_EQ(out->epoch(), 101u) << "past the last one, although 100 was asked for";
    EXPECT_FALSE(in->closed());
    EXPECT_FALSE(in->replaced());
    ASSERT_TRUE(out->write(payload(20, 100), 0));
    for (std::uint64_t i = 5; i <= 20; ++i) {
        ASSERT_EQ(in->next(entry), Parse::ok);
        EXPECT_EQ(entry.sequence, i);
        EXPECT_EQ(Bytes(entry.frame.begin(), entry.frame.end()), payload(i, 100));
    }
    EXPECT_EQ(in->totals().lost, 0u);
}

TEST_F(RingFile, AWriterThatWasCutOffStatesWhatItsWorkersLost) {
    {
        auto out = writer();
        for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(out->write(payload(i, 100), 1));
        out->set_counter(1, RingCounter::records_made, 27);
        out->set_counter(1, RingCounter::dropped_before_ring, 3);
    }
    {
        auto out = writer();
        EXPECT_FALSE(out->found().closed_well);
        EXPECT_EQ(out->found().lost_in_flight, 4u);
        EXPECT_EQ(out->counter(1, RingCounter::dropped_before_ring), 7u);
        ASSERT_TRUE(out->write(payload(0, 100), 1));
        out->set_counter(1, RingCounter::records_made, 1);
        EXPECT_EQ(out->counter(1, RingCounter::records_made), 28u)
            << "sums go on over the ring's life";
        out->close();
    }
    EXPECT_EQ(writer()->found().lost_in_flight, 0u) << "said once";
}

TEST_F(RingFile, CountsWhatIsMadeWhereItIsMade) {
    // The worker's ring counts in the mapped file: a cut at any instant leaves how much died with it.
    ByteRing made(4096);
    const auto make = [&made] {
        const auto room = made.reserve(1000);
        if (room.empty()) return false;
        made.commit(500);
        return true;
    };
    {
        auto out = writer();
        made.count_into(out->made_count(2));
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(make());
        EXPECT_TRUE(out->write(made.front(), 2));
        made.release();
        out->count(2, RingCounter::frames_to_alerts);  // the second was a finding
        made.release();
        while (make()) {
        }
    }
    auto out = writer();
    const std::uint64_t total = out->counter(2, RingCounter::records_made);
    EXPECT_GE(total, 6u);
    EXPECT_EQ(out->found().lost_in_flight, total - 2) << "refused by a full ring, or in it";
    EXPECT_EQ(out->made_count(kRingWorkersMax), nullptr);
    // A clean end says so itself.
    made.count_into(out->made_count(2));
    EXPECT_FALSE(make());
    out->close();
    EXPECT_EQ(out->counter(2, RingCounter::dropped_before_ring), total - 1);
    out.reset();
    EXPECT_EQ(writer()->found().lost_in_flight, 0u);
}

TEST_F(RingFile, HasOneWriterAndOneReader) {
    auto out = writer();
    const auto second = RingWriter::open(config_for(path));
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message().find("another dataplane"), std::string::npos);
    auto in = reader();
    EXPECT_NE(refused().find("another process reads"), std::string::npos);
    in.reset();
    EXPECT_TRUE(RingReader::open(path).has_value());
}

TEST_F(RingFile, ALookerMovesNothing) {
    auto out = writer();
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    auto in = reader();
    RingEntry entry;
    ASSERT_EQ(in->next(entry), Parse::ok);
    in->commit();
    auto looker = RingReader::open_to_look(path);
    ASSERT_TRUE(looker.has_value());
    for (std::uint64_t i = 1; i < 20; ++i) {
        ASSERT_EQ((*looker)->next(entry), Parse::ok);
        EXPECT_EQ(entry.sequence, i);
        EXPECT_EQ(Bytes(entry.frame.begin(), entry.frame.end()), payload(i, 100));
    }
    (*looker)->commit();
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(entry.sequence, 1u);
    EXPECT_EQ((*looker)->totals().lost, 0u);
}

TEST_F(RingFile, ALookerThatWasOvertakenIsTold) {
    auto out = writer();
    for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    auto looker = RingReader::open_to_look(path);
    ASSERT_TRUE(looker.has_value());
    auto in = reader();
    RingEntry entry;
    while (in->next(entry) == Parse::ok) {
    }
    in->commit();
    EXPECT_EQ((*looker)->next(entry), Parse::malformed);
}

TEST_F(RingFile, WhatIsNoRingIsRefusedAndLeftAlone) {
    write_file(path, "precious text that somebody wrote, longer than eight bytes");
    EXPECT_NE(refused().find("not a ring"), std::string::npos);
    const auto out = RingWriter::open(config_for(path));
    ASSERT_FALSE(out.has_value());
    EXPECT_NE(out.error().message().find("something else"), std::string::npos);
    EXPECT_EQ(text_of(path), "precious text that somebody wrote, longer than eight bytes");
    EXPECT_FALSE(RingWriter::open(config_for("/dev/null")).has_value());
    EXPECT_FALSE(RingReader::open("/dev/null").has_value());
    EXPECT_FALSE(RingWriter::open(config_for("/nonexistent/folder/ring")).has_value());
    EXPECT_EQ(RingReader::open(folder.file("none")).error().code(), Code::not_found);
}

TEST_F(RingFile, AnotherVersionIsRefusedByTheReaderAndSetAsideByTheWriter) {
    writer().reset();
    const std::uint32_t version = 2;
    poke(8, &version, sizeof version);
    EXPECT_NE(refused().find("layout version 2"), std::string::npos);
    auto out = writer();
    EXPECT_FALSE(out->found().carried_on);
    EXPECT_EQ(out->found().set_aside, path + ".old");
    EXPECT_TRUE(std::filesystem::exists(path + ".old"));
    EXPECT_TRUE(RingReader::open(path).has_value());
}

TEST_F(RingFile, ARingOfAnotherSizeIsSetAsideAndItsReaderLearnsOfIt) {
    writer().reset();
    auto in = reader();
    RingWriterConfig larger = config_for(path);
    larger.data_bytes = kRingDataBytesMin * 4;
    const auto out = RingWriter::open(larger);
    ASSERT_TRUE(out.has_value());
    EXPECT_EQ((*out)->found().set_aside, path + ".old");
    EXPECT_TRUE(in->replaced());
}

TEST_F(RingFile, AFileThatItsWriterNeverFinishedIsBegunAnew) {
    writer().reset();
    const std::vector<std::uint8_t> zeros(kRingHeaderBytes, 0);
    poke(0, zeros.data(), zeros.size());
    EXPECT_NE(refused().find("not set this ring up yet"), std::string::npos);
    auto out = writer();
    EXPECT_FALSE(out->found().carried_on);
    EXPECT_TRUE(out->found().set_aside.empty());
}

TEST_F(RingFile, EveryCutOfTheFileIsRefused) {
    {
        auto out = writer();
        ASSERT_TRUE(out->write(payload(0, 100), 0));
    }
    const std::string whole = text_of(path);
    for (std::size_t bytes = 0; bytes < whole.size(); bytes += bytes < 256 ? 1 : 509) {
        write_file(path, whole.substr(0, bytes));
        EXPECT_FALSE(RingReader::open(path).has_value()) << bytes;
    }
}

TEST_F(RingFile, EveryFlippedHeaderByteIsRefusedOrHarmless) {
    {
        auto out = writer();
        for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    }
    const std::string whole = text_of(path);
    for (std::size_t at = 0; at < 320; ++at) {
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
            std::string changed = whole;
            changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
            write_file(path, changed);
            auto opened = RingReader::open(path);
            if (!opened.has_value()) continue;
            RingEntry entry;
            int had = 0;
            while ((*opened)->next(entry) == Parse::ok && had < 100) ++had;
            EXPECT_LE(had, 10);
            (*opened)->skip_damage();
            EXPECT_EQ((*opened)->next(entry), Parse::need_more);
        }
    }
}

TEST_F(RingFile, DamagedEntriesAreToldAndSteppedOverWithTheirCount) {
    auto out = writer();
    auto in = reader();
    for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    const std::uint32_t nonsense = 0x7fffffff;
    poke(kRingHeaderBytes + 3 * 128, &nonsense, sizeof nonsense);
    RingEntry entry;
    for (int i = 0; i < 3; ++i) ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(in->next(entry), Parse::malformed);
    EXPECT_EQ(in->next(entry), Parse::malformed);
    in->skip_damage();
    EXPECT_EQ(in->totals().lost, 7u);
    EXPECT_GT(in->fill(), 0.0);  // what was read is not committed by that
    ASSERT_TRUE(out->write(payload(10, 100), 0));
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(entry.sequence, 10u);
    EXPECT_EQ(in->totals().lost, 7u);
}

TEST_F(RingFile, AWriterSetsAsideARingWhoseUnreadEntriesAreDamaged) {
    {
        auto out = writer();
        for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(out->write(payload(i, 100), 0));
    }
    const std::uint32_t nonsense = 0x7fffffff;
    poke(kRingHeaderBytes + 3 * 128, &nonsense, sizeof nonsense);
    auto out = writer();
    EXPECT_EQ(out->found().set_aside, path + ".old");
    ASSERT_TRUE(out->write(payload(0, 100), 0));
    auto in = reader();
    RingEntry entry;
    ASSERT_EQ(in->next(entry), Parse::ok);
    EXPECT_EQ(entry.sequence, 0u);
}

TEST_F(RingFile, ALyingTailCostsFramesAndNothingElse) {
    auto out = writer();
    for (const std::uint64_t tail :
         {std::uint64_t{64}, std::uint64_t{1} << 40, ~std::uint64_t{63}}) {
        poke(192, &tail, sizeof tail);
        for (std::uint64_t i = 0; i < 200; ++i) static_cast<void>(out->write(payload(i, 1000), 0));
    }
    EXPECT_GT(out->counter(0, RingCounter::frames_written), 0u);
}

TEST_F(RingFile, FindingsHaveARingThatFlowsCannotFill) {
    auto sink = RingSink::open(config_for(path));
    ASSERT_TRUE(sink.has_value());
    const Bytes flow = record(contract::Kind::close, {}, 1000);
    const Bytes finding = record(contract::Kind::finding, {}, 1000);
    while (drops((*sink)->flows()) == 0) (*sink)->take(flow, 0);
    (*sink)->take(finding, 0);
    EXPECT_TRUE((*sink)->finish().ok());
    auto alerts = RingReader::open(path + ".alerts");
    ASSERT_TRUE(alerts.has_value());
    RingEntry entry;
    ASSERT_EQ((*alerts)->next(entry), Parse::ok);
    EXPECT_EQ(Bytes(entry.frame.begin(), entry.frame.end()), finding);
    EXPECT_TRUE((*alerts)->closed());
}

}  // namespace
}  // namespace seine::exporting
