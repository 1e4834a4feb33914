// The generated page, and dumps of rings that are sound, live, damaged or absent.
#include "tests/unit/export/records.h"

#include <algorithm>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "dataplane/export/ring_file.h"
#include "dataplane/export/ring_reader.h"
#include "tools/records/dump.h"
#include "tools/records/layout_page.h"

namespace seine::records {
namespace {

using contract::Kind;
using exporting::Folder;
using exporting::record;

TEST(LayoutPage, IsWhatIsCommitted) {
    EXPECT_EQ(exporting::text_of(SEINE_SOURCE_DIR "/docs/records.md"), layout_page())
        << "run: seine-records --docs > docs/records.md";
}

TEST(LayoutPage, NamesEveryFieldWithItsNumber) {
    const std::string page = layout_page();
    for (const contract::FieldInfo& field : contract::kFields) {
        const std::string line =
            "| " + std::to_string(field.number) + " | `" + std::string(field.name) + "` |";
        EXPECT_NE(page.find(line), std::string::npos) << line;
    }
    EXPECT_NE(page.find("| 152 | 8 | `mac` |"), std::string::npos);
    EXPECT_NE(page.find("6 tcp, 17 udp"), std::string::npos);
}

class RingDump : public testing::Test {
  protected:
    RingDump() {
        exporting::RingWriterConfig config;
        config.path = path;
        config.data_bytes = exporting::kRingDataBytesMin;
        config.epoch = 9;
        auto opened = exporting::RingWriter::open(config);
        writer = std::move(*opened);
    }
    void put(const exporting::Bytes& frame) { EXPECT_TRUE(writer->write(frame, 0)); }
    std::vector<std::string> lines(DumpOptions options) {
        options.path = path;
        std::vector<std::string> out;
        const auto dumped = dump(options, [&out](const std::string& line) {
            out.push_back(line);
            return true;
        });
        EXPECT_TRUE(dumped.has_value());
        last = *dumped;
        return out;
    }
    struct Ran {
        int code;
        std::string out;
        std::string err;
    };
    Ran program(const std::string& arguments) {
        const std::string command = std::string(SEINE_RECORDS) + " " + arguments + " >" +
                                    folder.file("out") + " 2>" + folder.file("err");
        const int status = std::system(command.c_str());
        return {WEXITSTATUS(status), exporting::text_of(folder.file("out")),
                exporting::text_of(folder.file("err"))};
    }
    const Folder folder;
    const std::string path = folder.file("ring");
    std::unique_ptr<exporting::RingWriter> writer;
    Dumped last;
};

TEST_F(RingDump, PrintsFramesOrFlowsAndTakesNothingOut) {
    put(record(Kind::open, {1, 1000, 1, 0}, 1000));
    put(record(Kind::open, {2, 2000, 2, 0}, 2000));
    put(record(Kind::close, {1, 1000, 1, 0}, 3000));
    for (int again = 0; again < 2; ++again) {
        const auto events = lines({});
        ASSERT_EQ(events.size(), 3u);
        EXPECT_EQ(events[2].rfind("{\"kind\":\"close\",\"flow_id\":\"1-5-1\",", 0), 0u);
        EXPECT_EQ(events[2].back(), '\n');
    }
    DumpOptions flows;
    flows.flows = true;
    const auto folded = lines(flows);
    ASSERT_EQ(folded.size(), 2u);
    EXPECT_NE(folded[0].find("\"t_last_ns\":3000"), std::string::npos);
    DumpOptions closes;
    closes.kind = "close";
    EXPECT_EQ(lines(closes).size(), 1u);
    DumpOptions first;
    first.frames_max = 2;
    EXPECT_EQ(lines(first).size(), 2u);
    EXPECT_FALSE(last.broken_off);
}

TEST_F(RingDump, CountsGapsAndFramesThatAreNone) {
    put(record(Kind::open, {}, 1000));
    EXPECT_FALSE(writer->write(exporting::Bytes(5000), 0));
    put(exporting::Bytes(100, 0x11));
    put(record(Kind::close, {}, 2000));
    EXPECT_EQ(lines({}).size(), 2u);
    EXPECT_EQ(last.frames, 3u);
    EXPECT_EQ(last.lost, 1u);
    EXPECT_EQ(last.unreadable, 1u);
}

TEST_F(RingDump, TheProgramPrintsAndExitsAsItSays) {
    put(record(Kind::open, {}, 1000));
    const Ran sound = program(path);
    EXPECT_EQ(sound.code, 0) << sound.err;
    EXPECT_EQ(std::count(sound.out.begin(), sound.out.end(), '\n'), 1);
    EXPECT_EQ(program(path + " --summary").out,
              "{\"path\":\"" + path +
                  "\",\"dataplane\":0,\"epoch\":9,\"closed\":false,\"workers\":[{\"worker\":0,"
                  "\"frames_written\":1,"
                  "\"bytes_written\":" +
                  std::to_string(contract::kFrameBytesMin) +
                  ",\"dropped_ring_full\":0,\"dropped_too_long\":0,\"dropped_"
                  "before_ring\":0,\"records_made\":0,\"frames_to_alerts\":0}]}\n");
    const Ran absent = program(folder.file("none"));
    EXPECT_EQ(absent.code, 1);
    EXPECT_NE(absent.err.find(folder.file("none")), std::string::npos);
    EXPECT_EQ(program("").code, 2);
    EXPECT_EQ(program("--bogus").code, 2);
    EXPECT_EQ(program(path + " --kind half").code, 2);
    EXPECT_EQ(program("--help").code, 0);
    EXPECT_EQ(program("--docs").out, layout_page());
    put(exporting::Bytes(100, 0x11));
    EXPECT_EQ(program(path).code, 1);
}

}  // namespace
}  // namespace seine::records
