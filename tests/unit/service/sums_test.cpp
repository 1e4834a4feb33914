// What is added up in another thread is what was taken in, in its order.
#include "control/service/sums.h"

#include <string>

#include <gtest/gtest.h>

#include "dataplane/contract/frame.h"

namespace seine::service {
namespace {

using contract::Field;
using contract::Kind;

constexpr std::uint64_t kAccounts = 10;

class SumsTest : public testing::Test {
  protected:
    SumsTest() : sums(1000, 1000, [] { return Nanos{kSecond}; }) {
        IngestPart part;
        part.behind = true;
        part.sighting = [this](const model::Sighting& sighting, Nanos) {
            seen += "s" + std::to_string(sighting.flow.id.counter) + " ";
        };
        part.record = [this](const contract::RecordView& record, ByteView, Nanos) {
            seen += (record.kind == Kind::open ? "o" : "c") + std::to_string(record.flow.counter) + " ";
        };
        sums.add(part);
        sums.start();
    }
    // Frames stay where they are, as those of a ring do until they are stored.
    ByteView frame(Kind kind, std::uint64_t flow) {
        std::vector<std::uint8_t>& buffer = frames.emplace_back(4096);
        contract::FrameWriter writer(buffer);
        writer.begin(kind, {1, 1, flow});
        const std::uint8_t address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
        writer.set_ip(Field::src, address);
        writer.set_ip(Field::dst, address);
        writer.set(Field::sport, 1024 + flow);
        writer.set(Field::dport, 443);
        writer.set(Field::proto, 6);
        writer.set(Field::t_first_ns, flow);
        writer.set(Field::t_last_ns, flow);
        buffer.resize(writer.finish());
        return buffer;
    }
    static model::Sighting sighting_of(std::uint64_t flow) {
        model::Sighting out;
        out.flow.id = {1, 1, flow};
        out.first = true;
        out.uses.resize(1);
        out.uses[0].account.bytes[0] = static_cast<std::uint8_t>(1 + flow % kAccounts);
        out.uses[0].requests = 2;
        return out;
    }
    // As the ingest does: some are read, then each is taken, with what it gives rise to.
    void take_in(Kind kind, std::uint64_t from, std::uint64_t to) {
        while (from < to) {
            sums.reads({kSecond});
            std::vector<ReadRecord*> group;
            for (; group.size() < Sums::kReadsAtOnce && from < to; ++from) {
                ReadRecord& read = sums.next();
                read.frame = frame(kind, from);
                EXPECT_EQ(contract::read_frame(read.frame, read.record), Parse::ok);
                read.of_flow = dataplane_link::read_facts(read.record, read.facts);
                sums.read();
                group.push_back(&read);
            }
            for (const ReadRecord* read : group) {
                sums.take();
                if (kind == Kind::close) sums.sighting(sighting_of(read->record.flow.counter), {kSecond});
                sums.done();
            }
        }
    }
    std::deque<std::vector<std::uint8_t>> frames;
    std::string seen;
    Sums sums;
};

TEST_F(SumsTest, AddsUpWhatWasTakenIn) {
    constexpr std::uint64_t kFlows = 3000;
    take_in(Kind::open, 0, kFlows);
    sums.lost(1, 7, {kSecond});
    take_in(Kind::close, 0, kFlows);
    sums.rest();
    std::string order;
    for (std::uint64_t i = 0; i < kFlows; ++i) order += "o" + std::to_string(i) + " ";
    for (std::uint64_t i = 0; i < kFlows; ++i) order += "s" + std::to_string(i) + " c" + std::to_string(i) + " ";
    EXPECT_EQ(seen, order);
    store::Batch batch;
    sums.take(batch);
    ASSERT_EQ(batch.minutes.size(), 1u);
    EXPECT_EQ(batch.minutes[0].opened, kFlows);
    EXPECT_EQ(batch.minutes[0].closed, kFlows);
    EXPECT_EQ(batch.minutes[0].joined, kFlows);
    EXPECT_EQ(batch.minutes[0].records_lost, 7u);
    ASSERT_EQ(batch.accounts.size(), kAccounts);
    for (const store::AccountUse& use : batch.accounts) {
        EXPECT_EQ(use.row.flows, kFlows / kAccounts);
        EXPECT_EQ(use.row.requests, 2 * kFlows / kAccounts);
    }
    EXPECT_EQ(sums.status().sums.opened, kFlows);
}

TEST_F(SumsTest, WhatWasGivenIsAddedUpBeforeItEnds) {
    take_in(Kind::open, 0, 5);
    sums.stop();
    EXPECT_EQ(sums.status().sums.opened, 5u);
    EXPECT_EQ(seen, "o0 o1 o2 o3 o4 ");
}

TEST_F(SumsTest, ALittleIsHandedOverAfterAMoment) {
    take_in(Kind::open, 0, 1);
    sums.give({kSecond}, false);
    sums.give({kSecond + 100 * kMillisecond}, false);
    for (int i = 0; i < 500 && sums.status().sums.opened == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(sums.status().sums.opened, 1u);
}

}  // namespace
}  // namespace seine::service
