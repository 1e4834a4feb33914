// JSON lines in files: per flow, per frame, sorted, and when the disk is full.
#include "dataplane/export/jsonl_sink.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

using contract::Kind;

std::vector<std::string> lines_of(const std::string& path) {
    std::istringstream in(text_of(path));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(JsonlSink, OneLineAFlowOrOneAFrame) {
    const Folder folder;
    for (const bool events : {false, true}) {
        JsonlOptions options;
        options.events = events;
        auto sink = JsonlSink::open(folder.file("out.jsonl"), options);
        ASSERT_TRUE(sink.has_value());
        (*sink)->take(record(Kind::open, {}, 1000), 0);
        (*sink)->take(record(Kind::close, {}, 2000), 0);
        EXPECT_TRUE((*sink)->finish().ok());
        const auto lines = lines_of(folder.file("out.jsonl"));
        ASSERT_EQ(lines.size(), events ? 2u : 1u);
        EXPECT_EQ(lines[0].rfind(
                      events ? "{\"kind\":\"open\",\"flow_id\":\"1-5-1\"," : "{\"t_first_ns\":", 0),
                  0u);
        EXPECT_EQ((*sink)->lines(), lines.size());
    }
}

TEST(JsonlSink, SortedLinesDoNotDependOnTheWorkers) {
    const Folder folder;
    const auto write = [&](unsigned workers, const std::string& name) {
        JsonlOptions options;
        options.sorted = true;
        auto sink = JsonlSink::open(folder.file(name), options);
        std::vector<std::uint64_t> counters(workers, 0);
        for (unsigned i = 0; i < 200; ++i) {
            // The same 5-tuple twice at one time (i and i ^ 1): their order is the counter's.
            const unsigned worker = (i / 2) % workers;
            Flow flow{++counters[worker] * workers + worker,
                      1000 - static_cast<std::int64_t>(i / 10 % 7),
                      static_cast<std::uint16_t>(1000 + i / 2), static_cast<std::uint16_t>(worker)};
            (*sink)->take(record(Kind::close, flow, 5000 + i), worker);
        }
        EXPECT_TRUE((*sink)->finish().ok());
        return text_of(folder.file(name));
    };
    const std::string one = write(1, "one");
    EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 200);
    EXPECT_EQ(one, write(4, "four"));
    EXPECT_EQ(one, write(4, "again"));
    EXPECT_EQ(one.rfind("{\"t_first_ns\":994,", 0), 0u);
}

TEST(JsonlSink, SortsTimesBeforeAndAfter1970) {
    const Folder folder;
    JsonlOptions options;
    options.sorted = true;
    auto sink = JsonlSink::open(folder.file("out"), options);
    (*sink)->take(record(Kind::close, {1, 5, 1, 0}, 5), 0);
    (*sink)->take(record(Kind::close, {2, -5, 1, 0}, 5), 0);
    EXPECT_TRUE((*sink)->finish().ok());
    EXPECT_EQ(text_of(folder.file("out")).rfind("{\"t_first_ns\":-5,", 0), 0u);
}

TEST(JsonlSink, WhatIsNoFrameIsCountedAndNotWritten) {
    const Folder folder;
    auto sink = JsonlSink::open(folder.file("out"), {});
    Bytes frame = record(Kind::close, {}, 1000);
    frame[6] = 99;
    (*sink)->take(frame, 0);
    (*sink)->take(ByteView(frame).first(3), 0);
    EXPECT_TRUE((*sink)->finish().ok());
    EXPECT_EQ((*sink)->unreadable(), 2u);
    EXPECT_EQ(text_of(folder.file("out")), "");
}

TEST(JsonlSink, APathThatCannotBeWrittenIsToldWithItsName) {
    const auto sink = JsonlSink::open("/nonexistent/folder/out.jsonl", {});
    ASSERT_FALSE(sink.has_value());
    EXPECT_NE(sink.error().message().find("/nonexistent/folder/out.jsonl"), std::string::npos);
}

TEST(JsonlSink, AFullDiskIsToldOnceAtTheEnd) {
    auto sink = JsonlSink::open("/dev/full", {});
    ASSERT_TRUE(sink.has_value());
    for (std::uint64_t i = 0; i < 5000; ++i) (*sink)->take(record(Kind::close, {i, 1, 1, 0}, 5), 0);
    (*sink)->flush();
    const Status status = (*sink)->finish();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find("/dev/full"), std::string::npos);
}

}  // namespace
}  // namespace seine::exporting
