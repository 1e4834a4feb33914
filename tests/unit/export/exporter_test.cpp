// The merge of worker rings: order, the bounded wait, and everything at the end.
#include "dataplane/export/exporter.h"

#include <gtest/gtest.h>

#include "tests/unit/export/records.h"

namespace seine::exporting {
namespace {

using contract::Kind;

class Seen final : public FrameSink {
  public:
    void take(ByteView frame, unsigned worker) override {
        contract::RecordView view;
        EXPECT_EQ(contract::read_frame(frame, view), Parse::ok);
        times.push_back(static_cast<std::int64_t>(view.get(contract::Field::t_last_ns)));
        workers.push_back(worker);
    }
    void flush() override { ++flushes; }
    Status finish() override { return answer; }
    std::vector<std::int64_t> times;
    std::vector<unsigned> workers;
    int flushes = 0;
    Status answer;
};

void put(ByteRing& ring, std::int64_t time) {
    const Bytes frame = record(Kind::update, {}, time);
    const auto room = ring.reserve(frame.size());
    ASSERT_FALSE(room.empty());
    std::copy(frame.begin(), frame.end(), room.begin());
    ring.commit(frame.size());
}

class ExporterOrder : public testing::Test {
  protected:
    ByteRing first{1 << 16};
    ByteRing second{1 << 16};
    ByteRing third{1 << 16};
    Seen sink;
    Exporter exporter{{&first, &second, &third}, {&sink}, {.wait_ns_max = 1000}};
};

TEST_F(ExporterOrder, IsByTimeOverAllRings) {
    for (const int time : {1, 4, 7}) put(first, time);
    for (const int time : {2, 5, 8}) put(second, time);
    for (const int time : {3, 6, 9}) put(third, time);
    EXPECT_EQ(exporter.drain({0}, 100), 7u) << "8 and 9 wait: the first ring might bring less";
    EXPECT_EQ(exporter.drain({2000}, 100), 2u);
    EXPECT_EQ(sink.times, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(sink.workers, (std::vector<unsigned>{0, 1, 2, 0, 1, 2, 0, 1, 2}));
    EXPECT_EQ(exporter.frames(), 9u);
    EXPECT_EQ(sink.flushes, 2);
}

TEST_F(ExporterOrder, WaitsForAQuietWorkerAndThenNoLonger) {
    put(first, 10);
    put(second, 20);
    EXPECT_EQ(exporter.drain({5000}, 100), 0u);
    EXPECT_EQ(exporter.drain({5999}, 100), 0u);
    put(third, 5);
    EXPECT_EQ(exporter.drain({5999}, 100), 1u) << "the one that was waited for goes first";
    EXPECT_EQ(exporter.drain({6500}, 100), 0u) << "a new wait, since all were there in between";
    EXPECT_EQ(exporter.drain({7500}, 100), 2u);
    EXPECT_EQ(sink.times, (std::vector<std::int64_t>{5, 10, 20}));
}

TEST_F(ExporterOrder, ASteadyStreamBesideAQuietWorkerIsHeldUpOnlyOnce) {
    put(first, 1);
    EXPECT_EQ(exporter.drain({0}, 100), 0u);
    EXPECT_EQ(exporter.drain({1000}, 1), 1u);
    for (int time = 2; time < 50; ++time) put(first, time);
    std::size_t done = 0;
    std::int64_t now = 1000;
    while (done < 48) {
        const std::size_t step = exporter.drain({now}, 4);
        done += step;
        now += 100;
        ASSERT_LT(now, 10000);
    }
    EXPECT_LE(now, 1000 + 13 * 100 + 1000);
}

TEST_F(ExporterOrder, HandsOverNoMoreThanItWasAskedFor) {
    for (int time = 0; time < 10; ++time) put(first, time);
    static_cast<void>(exporter.drain({0}, 3));
    EXPECT_EQ(exporter.drain({5000}, 3), 3u);
    EXPECT_EQ(sink.times.size(), 3u);
}

TEST_F(ExporterOrder, FinishWaitsForNobody) {
    put(first, 10);
    put(second, 20);
    EXPECT_EQ(exporter.drain({5000}, 100), 0u) << "they wait for the third";
    EXPECT_TRUE(exporter.finish().ok());
    EXPECT_EQ(sink.times, (std::vector<std::int64_t>{10, 20}));
}

TEST_F(ExporterOrder, FinishEmptiesTheRingsAndGivesTheSinksAnswer) {
    for (int time = 0; time < 100; ++time) put(time % 2 == 0 ? first : third, time);
    sink.answer = failed("out.jsonl: the disk is full");
    const Status status = exporter.finish();
    EXPECT_EQ(status.message(), "out.jsonl: the disk is full");
    ASSERT_EQ(sink.times.size(), 100u);
    EXPECT_TRUE(std::is_sorted(sink.times.begin(), sink.times.end()));
}

}  // namespace
}  // namespace seine::exporting
