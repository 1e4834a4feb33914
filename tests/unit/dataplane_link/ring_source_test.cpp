// Reading a ring exactly once: over restarts of the reader, kills between store and ring, new rings.
#include "control/dataplane_link/ring_source.h"

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/dataplane_link/flow_facts.h"
#include "dataplane/export/ring_file.h"
#include "tests/support/temp_folder.h"

namespace seine::dataplane_link {
namespace {

using contract::Field;

class RingSourceTest : public testing::Test {
  protected:
    ~RingSourceTest() override {
        writer.reset();
    }
    void open_writer() {
        exporting::RingWriterConfig config;
        config.path = path;
        config.data_bytes = exporting::kRingDataBytesMin;
        config.dataplane_id = 3;
        auto opened = exporting::RingWriter::open(config);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        writer = std::move(*opened);
    }
    bool write(std::uint64_t counter) {
        std::vector<std::uint8_t> buffer(4096);
        contract::FrameWriter frame(buffer);
        frame.begin(contract::Kind::open, {3, 1, counter});
        frame.text(Field::ja4, "t13d");
        return writer->write({buffer.data(), frame.finish()}, 0);
    }
    // Counters of all records that are there now.
    static std::vector<std::uint64_t> read(RingSource& source) {
        std::vector<std::uint64_t> out;
        contract::RecordView record;
        for (int quiet = 0; quiet < 40;) {
            if (source.next(record)) {
                out.push_back(record.flow.counter);
                quiet = 0;
            } else {
                ++quiet;
            }
        }
        return out;
    }
    test::TempFolder folder{"link"};
    std::string path = folder.file("ring");
    std::unique_ptr<exporting::RingWriter> writer;
};

using Counters = std::vector<std::uint64_t>;

TEST_F(RingSourceTest, WaitsForARingAndSaysSo) {
    RingSource source(path);
    EXPECT_TRUE(read(source).empty());
    EXPECT_FALSE(source.is_open());
    EXPECT_NE(source.problem().find("start seine-dataplane"), std::string::npos);
    open_writer();
    write(1);
    EXPECT_EQ(read(source), Counters{1});
    EXPECT_EQ(source.problem(), "");
}

TEST_F(RingSourceTest, WhatWasNotStoredComesAgainAndWhatWasDoesNot) {
    open_writer();
    for (std::uint64_t i = 1; i <= 4; ++i) write(i);
    RingPlace stored;
    {
        RingSource source(path);
        EXPECT_EQ(read(source), (Counters{1, 2, 3, 4}));
        stored = source.place();  // in the store, and killed before the ring is told
    }
    write(5);
    {
        RingSource source(path);
        source.begin_at(stored);
        EXPECT_EQ(read(source), Counters{5});
        EXPECT_EQ(source.counters().repeated, 4u);
        source.stored();
    }
    RingSource unstored(path);
    write(6);
    EXPECT_EQ(read(unstored), Counters{6});
}

TEST_F(RingSourceTest, WhatIsReadWhileOlderIsBeingStoredComesAgainAfterAKill) {
    open_writer();
    for (std::uint64_t i = 1; i <= 3; ++i) write(i);
    RingPlace stored;
    {
        RingSource source(path);
        EXPECT_EQ(read(source), (Counters{1, 2, 3}));
        const RingSource::Mark mark = source.mark();
        stored = mark.place;
        write(4);
        EXPECT_EQ(read(source), Counters{4});
        source.stored(mark);
        EXPECT_GT(source.fill(), 0.0);
    }
    {
        RingSource source(path);
        source.begin_at(stored);
        EXPECT_EQ(read(source), Counters{4});
        EXPECT_EQ(source.counters().repeated, 0u);
        const RingSource::Mark old = source.mark();
        write(5);
        EXPECT_EQ(read(source), Counters{5});
        source.stored();
        source.stored(old);  // late, and behind what is stored: takes nothing back
        EXPECT_EQ(source.fill(), 0.0);
    }
}

TEST_F(RingSourceTest, APlaceSurvivesItsTextAndMeansNothingInAnotherFile) {
    open_writer();
    for (std::uint64_t i = 1; i <= 3; ++i) write(i);
    RingPlace stored;
    {
        RingSource source(path);
        read(source);
        stored = place_from(to_text(source.place()));
        source.stored();
    }
    EXPECT_TRUE(stored.known);
    EXPECT_FALSE(place_from("").known);
    writer.reset();
    std::filesystem::remove(path);
    open_writer();
    write(11);
    RingSource source(path);
    source.begin_at(stored);
    EXPECT_EQ(read(source), Counters{11});
}

TEST_F(RingSourceTest, ARingMadeAnewIsTakenUpOnceTheOldOneIsStored) {
    open_writer();
    write(1);
    RingSource source(path);
    EXPECT_EQ(read(source), Counters{1});
    writer.reset();
    std::filesystem::remove(path);
    open_writer();
    write(2);
    for (int i = 0; i < 40; ++i) source.stored();
    EXPECT_EQ(read(source), Counters{2});
    EXPECT_EQ(source.counters().replaced, 1u);
}

TEST_F(RingSourceTest, LossesAreCountedExactly) {
    open_writer();
    std::uint64_t refused = 0;
    for (std::uint64_t i = 1; i <= 2000; ++i) refused += write(i) ? 0 : 1;
    ASSERT_GT(refused, 0u);
    RingSource source(path);
    const std::size_t had = read(source).size();
    EXPECT_EQ(had + refused, 2000u);
    EXPECT_EQ(source.counters().lost, refused);
    EXPECT_GT(source.fill(), 0.9);
    source.stored();
    EXPECT_EQ(source.fill(), 0);
}

std::uint64_t end_of(const std::string& path) {
    auto looker = exporting::RingReader::open_to_look(path);
    exporting::RingEntry entry;
    while ((*looker)->next(entry) == Parse::ok) {}
    return (*looker)->mark().position;
}

// Writes over the length of the entry at `at`, as a torn page would.
void damage(const std::string& path, std::uint64_t at) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const std::uint32_t nonsense = 0x7fffffff;
    ASSERT_EQ(::pwrite(fd, &nonsense, sizeof nonsense, static_cast<off_t>(at)), static_cast<ssize_t>(sizeof nonsense));
    ::close(fd);
}

TEST_F(RingSourceTest, DamageLetsGoOfNothingThatWasReadBeforeItAndIsNotStored) {
    open_writer();
    for (std::uint64_t i = 1; i <= 3; ++i) write(i);
    const std::uint64_t fourth = end_of(path);
    for (std::uint64_t i = 4; i <= 6; ++i) write(i);
    damage(path, exporting::kRingHeaderBytes + fourth);
    RingPlace stored;
    {
        RingSource source(path);
        EXPECT_EQ(read(source), (Counters{1, 2, 3}));
        EXPECT_EQ(source.counters().damaged, 1u);
        EXPECT_EQ(source.take_lost(), 3u);
        EXPECT_TRUE(source.owes());
        EXPECT_GT(source.fill(), 0.0);
    }  // killed before anything is stored
    {
        RingSource source(path);
        EXPECT_EQ(read(source), (Counters{1, 2, 3}));
        EXPECT_EQ(source.take_lost(), 3u);
        write(7);
        EXPECT_EQ(read(source), Counters{7});
        stored = source.place();
    }  // and now after the store, before the ring is told
    RingSource source(path);
    source.begin_at(place_from(to_text(stored)));
    EXPECT_TRUE(read(source).empty());
    EXPECT_EQ(source.counters().repeated, 3u);
    EXPECT_EQ(source.take_lost(), 1u);  // 7 lies behind the damage: stored, and not to be told from lost now
    EXPECT_TRUE(source.owes());
    source.stored();
    EXPECT_FALSE(source.owes());
    EXPECT_EQ(source.fill(), 0.0);
    write(8);
    EXPECT_EQ(read(source), Counters{8});
}

TEST_F(RingSourceTest, LossesAreToldOnceOverRestarts) {
    open_writer();
    std::uint64_t refused = 0;
    for (std::uint64_t i = 1; i <= 2000; ++i) refused += write(i) ? 0 : 1;
    RingPlace stored;
    {
        RingSource source(path);
        read(source);
        EXPECT_EQ(source.take_lost(), refused);
        EXPECT_EQ(source.take_lost(), 0u);
        stored = source.place();
        source.stored();
    }
    RingSource source(path);
    source.begin_at(place_from(to_text(stored)));
    read(source);
    EXPECT_EQ(source.counters().lost, refused);
    EXPECT_EQ(source.take_lost(), 0u);
}

TEST_F(RingSourceTest, ARingFullOfWhatIsStoredIsLetGoOf) {
    open_writer();
    for (std::uint64_t i = 1; write(i); ++i) {}
    RingPlace stored;
    {
        RingSource source(path);
        read(source);
        stored = source.place();
    }
    RingSource source(path);
    source.begin_at(stored);
    EXPECT_TRUE(read(source).empty());
    EXPECT_TRUE(source.owes());  // though nothing was new
    source.stored();
    EXPECT_TRUE(write(1));
}

TEST(FlowFacts, AreThoseOfTheRecordAlone) {
    std::vector<std::uint8_t> buffer(4096);
    contract::FrameWriter frame(buffer);
    frame.begin(contract::Kind::open, {1, 2, 3});
    std::uint8_t client[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    std::uint8_t named[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7};
    frame.set_ip(Field::src, client);
    frame.set_ip(Field::dst, client);
    frame.set(Field::sport, 1000);
    frame.set(Field::dport, 443);
    frame.set(Field::proto, 6);
    frame.set_ip(Field::proxied_src, named);
    frame.set(Field::proxied_sport, 2000);
    frame.text(Field::ja4, "t13d");
    frame.hex64(Field::session_presented, 77);
    frame.exchange(Field::exchanges, 1, 2, 3);
    contract::RecordView record;
    ASSERT_EQ(contract::read_frame({buffer.data(), frame.finish()}, record), Parse::ok);
    FlowFacts facts;
    ASSERT_TRUE(read_facts(record, facts));
    EXPECT_EQ(model::to_text(facts.flow.tuple.client), "198.51.100.7");
    EXPECT_EQ(facts.flow.tuple.client_port, 2000);
    EXPECT_EQ(model::to_text(facts.carrier), "192.0.2.1");
    EXPECT_EQ(facts.carrier_port, 1000);
    EXPECT_EQ(facts.flow.ja4, model::value_id("t13d"));
    EXPECT_EQ(facts.flow.session_presented, std::vector<std::uint64_t>{77});
    ASSERT_EQ(facts.flow.exchanges.size(), 1u);
    EXPECT_EQ(facts.flow.exchanges[0].response_bytes, 3u);
    // The next record says less, and nothing of the one before is left.
    frame.begin(contract::Kind::close, {1, 2, 3});
    frame.set_ip(Field::src, client);
    frame.set_ip(Field::dst, client);
    ASSERT_EQ(contract::read_frame({buffer.data(), frame.finish()}, record), Parse::ok);
    ASSERT_TRUE(read_facts(record, facts));
    EXPECT_TRUE(facts.flow.closed);
    EXPECT_EQ(facts.flow.ja4, 0u);
    EXPECT_TRUE(facts.flow.session_presented.empty());
    EXPECT_TRUE(facts.flow.exchanges.empty());
    EXPECT_EQ(facts.carrier_port, 0);
}

}  // namespace
}  // namespace seine::dataplane_link
