// The thread that writes batches: one at a time and in order, a full disk, the end with work left.
#include "control/service/store_writer.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/service/slow_store.h"

namespace seine::service {
namespace {

using Told = std::vector<std::string>;

class StoreWriterTest : public testing::Test {
  protected:
    static std::unique_ptr<store::Batch> batch(std::int64_t number) {
        auto out = std::make_unique<store::Batch>();
        out->at = {number};
        return out;
    }
    // All but the sweeps, which come by the clock.
    Told batches() const {
        Told out = store.told();
        std::erase(out, "sweep");
        return out;
    }
    SlowStore store;
    std::atomic<std::int64_t> time{0};
    std::atomic<int> prepared{0};
    StoreWriter writer{store, [this] { return Nanos{time.load()}; }, [this](store::Batch&) { ++prepared; }};
};

TEST_F(StoreWriterTest, BatchesAreWrittenInOrderEachPreparedOnce) {
    writer.start();
    for (std::int64_t i = 1; i <= 50; ++i) {
        ASSERT_TRUE(writer.idle());
        writer.give(batch(i));
        const auto outcome = writer.wait();
        ASSERT_TRUE(outcome.has_value());
        EXPECT_TRUE(outcome->status.ok());
        EXPECT_EQ(outcome->batch, nullptr);
        EXPECT_EQ(prepared, i);
    }
    Told want;
    for (int i = 1; i <= 50; ++i) want.push_back("batch " + std::to_string(i));
    EXPECT_EQ(batches(), want);
}

TEST_F(StoreWriterTest, GivesBackTheRoomOfAWrittenBatchAndNothingElse) {
    writer.start();
    auto next = batch(1);
    next->accounts.resize(1000);
    next->values.resize(600'000);  // more than is worth keeping
    next->findings.resize(3);
    next->documents.push_back({"room", "key", "value"});
    writer.give(std::move(next));
    const auto outcome = writer.wait();
    ASSERT_TRUE(outcome.has_value());
    ASSERT_NE(outcome->empty, nullptr);
    EXPECT_GE(outcome->empty->accounts.capacity(), 1000u);
    EXPECT_TRUE(outcome->empty->accounts.empty());
    EXPECT_EQ(outcome->empty->values.capacity(), 0u);
    EXPECT_TRUE(outcome->empty->findings.empty());
    EXPECT_TRUE(outcome->empty->documents.empty());
    EXPECT_EQ(outcome->empty->at.count, 0);
}

TEST_F(StoreWriterTest, IsNotIdleUntilTheOutcomeWasHeard) {
    store.hold();
    writer.start();
    EXPECT_FALSE(writer.outcome().has_value());
    writer.give(batch(1));
    store.has_begun();
    EXPECT_FALSE(writer.idle());
    EXPECT_FALSE(writer.outcome().has_value());  // the giver goes on meanwhile
    EXPECT_EQ(batches(), Told{});
    time = 7;
    store.release();
    const auto outcome = writer.wait();
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->took, 7);
    EXPECT_TRUE(writer.idle());
    EXPECT_FALSE(writer.outcome().has_value());  // once
    EXPECT_FALSE(writer.wait().has_value());
}

TEST_F(StoreWriterTest, ABatchThatFoundNoRoomComesBackWholeAndCanBeGivenAgain) {
    store.fail(2);
    writer.start();
    auto next = batch(1);
    next->documents.push_back({"room", "key", "value"});
    for (int i = 0; i < 2; ++i) {
        writer.give(std::move(next));
        auto outcome = writer.wait();
        ASSERT_TRUE(outcome.has_value());
        EXPECT_EQ(outcome->status.code(), Code::full);
        ASSERT_NE(outcome->batch, nullptr);
        ASSERT_EQ(outcome->batch->documents.size(), 1u);
        EXPECT_TRUE(store.documents().empty());
        next = std::move(outcome->batch);
    }
    writer.give(std::move(next));
    EXPECT_TRUE(writer.wait()->status.ok());
    EXPECT_EQ(store.documents().size(), 1u);
    EXPECT_EQ(batches(), (Told{"full 1", "full 1", "batch 1"}));
}

TEST_F(StoreWriterTest, TheEndWritesWhatIsInHand) {
    store.hold();
    writer.start();
    writer.give(batch(1));
    store.has_begun();
    std::thread ends([this] { writer.stop(); });
    store.release();
    ends.join();
    EXPECT_EQ(batches(), Told{"batch 1"});
    EXPECT_TRUE(writer.outcome()->status.ok());
}

TEST_F(StoreWriterTest, WhatWasGivenBeforeTheStartIsWrittenThoughTheEndComesAtOnce) {
    writer.give(batch(1));
    writer.start();
    writer.stop();
    EXPECT_EQ(batches(), Told{"batch 1"});
    writer.stop();  // again
}

TEST_F(StoreWriterTest, SweepsBetweenBatchesByTheClock) {
    writer.start();
    for (std::int64_t second = 0; second < 12; ++second) {
        time = second * kSecond;
        writer.give(batch(second));
        ASSERT_TRUE(writer.wait().has_value());
    }
    writer.stop();
    const Told told = store.told();
    EXPECT_EQ(std::count(told.begin(), told.end(), "sweep"), 2);
}

}  // namespace
}  // namespace seine::service
