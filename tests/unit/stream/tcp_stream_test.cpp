// TcpStream: SYN, no SYN, wrap, retransmission, keep-alives, ends, loss, the 5-tuple begun anew.
#include "dataplane/stream/tcp_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/counted_new.h"

namespace seine::stream {
namespace {

class TcpStreamTest : public testing::Test {
  protected:
    void SetUp() override {
        auto made = BufferPool::make(16 << 20);
        ASSERT_TRUE(made.has_value());
        pool = std::move(*made);
        room.pool = pool.get();
    }
    // One segment; everything ready is read and used.
    Push segment(std::uint32_t seq, std::string_view payload, const char* flags = "") {
        TcpSegment in;
        in.seq = seq;
        in.bytes = as_bytes(payload);
        in.payload_bytes = static_cast<std::uint32_t>(payload.size());
        for (; *flags != 0; ++flags) {
            in.syn = in.syn || *flags == 'S';
            in.fin = in.fin || *flags == 'F';
            in.rst = in.rst || *flags == 'R';
        }
        const Push push = stream.push(room, in);
        const std::size_t used = hold ? 0 : push.delivery.ready.size();
        if (!hold) read += as_text(push.delivery.ready);
        EXPECT_FALSE(gave_up(stream.finish(room, push, used)));
        return push;
    }

    std::unique_ptr<BufferPool> pool;
    Room room;
    TcpStream stream;
    std::string read;
    bool hold = false;  // use nothing
};

TEST_F(TcpStreamTest, ReadsInOrderFromTheSyn) {
    EXPECT_EQ(segment(1000, "", "S").pushed, Pushed::syn);
    EXPECT_EQ(segment(1001, "").pushed, Pushed::plain);
    EXPECT_EQ(segment(1001, "hello ").delivery.added, Added::ready);
    EXPECT_TRUE(segment(1007, "world", "F").fin);
    EXPECT_EQ(read, "hello world");
    EXPECT_TRUE(stream.finished());
    EXPECT_EQ(stream.isn(), 1000u);
    EXPECT_FALSE(stream.retransmission_seen());
    EXPECT_FALSE(stream.reordering_seen());
}

TEST_F(TcpStreamTest, DataInTheSynCountsFromIsnPlusOne) {
    segment(1000, "early ", "S");
    segment(1007, "later");
    EXPECT_EQ(read, "early later");
    // Refused fast open data is sent again.
    EXPECT_EQ(segment(1001, "early ").delivery.added, Added::below_base);
    EXPECT_TRUE(stream.retransmission_seen());
}

TEST_F(TcpStreamTest, SequenceNumbersWrap) {
    segment(0xfffffffa, "", "S");
    segment(0xfffffffb, "01234567");
    segment(3, "89");
    EXPECT_EQ(read, "0123456789");
    segment(8, "def");
    EXPECT_TRUE(stream.gap());
    segment(5, "abc");
    EXPECT_EQ(read, "0123456789abcdef");
}

TEST_F(TcpStreamTest, ManyGigabytesWrapManyTimes) {
    segment(77, "", "S");
    std::uint32_t seq = 78;
    std::uint64_t total = 0;
    for (int i = 0; i < 20000; ++i) {
        TcpSegment in;
        in.seq = seq;
        in.payload_bytes = 1'000'000;  // cut by the capture to nothing
        static_cast<void>(stream.push(room, in));
        seq += in.payload_bytes;
        total += in.payload_bytes;
        stream.consume(room, in.payload_bytes);
    }
    EXPECT_EQ(stream.base(), total);
    segment(seq, "end");
    EXPECT_EQ(read, "end");
}

TEST_F(TcpStreamTest, OutOfOrderOverlapAndConflict) {
    segment(100, "", "S");
    const Push early = segment(107, "world");
    EXPECT_EQ(early.delivery.added, Added::waiting);
    EXPECT_TRUE(early.reordering);
    const Push overlap = segment(105, "o wXYZ");
    EXPECT_TRUE(overlap.delivery.overlap);
    EXPECT_TRUE(overlap.delivery.conflict);
    const Push first = segment(101, "hell");
    EXPECT_TRUE(first.reordering);
    EXPECT_FALSE(first.retransmission);
    EXPECT_EQ(read, "hello world");
    const Push again = segment(101, "hello");
    EXPECT_TRUE(again.retransmission);
    EXPECT_EQ(read, "hello world");
}

TEST_F(TcpStreamTest, PartlyOldSegmentBringsItsNewBytes) {
    segment(100, "", "S");
    segment(101, "abcd");
    const Push push = segment(103, "cdef");
    EXPECT_TRUE(push.retransmission);
    EXPECT_FALSE(push.reordering);
    EXPECT_EQ(read, "abcdef");
}

TEST_F(TcpStreamTest, WithoutASynTheFirstSegmentAnchors) {
    segment(5000, "cd");
    EXPECT_FALSE(stream.syn_seen());
    EXPECT_EQ(stream.base(), TcpStream::kUnseenStart + 2);
    segment(5002, "ef");
    EXPECT_EQ(read, "cdef");
}

TEST_F(TcpStreamTest, WithoutASynEarlierDataMayStillCome) {
    hold = true;
    segment(5006, "world");
    const Push earlier = segment(5000, "hello ");
    EXPECT_TRUE(earlier.reordering);
    EXPECT_EQ(as_text(earlier.delivery.ready), "hello world");
    EXPECT_EQ(as_text(stream.ready(room)), "hello world");
    // Too far below the first one seen is old.
    const Push old = segment(5006 - TcpStream::kRebaseBytesMax - 1, "x");
    EXPECT_EQ(old.delivery.added, Added::below_base);
}

TEST_F(TcpStreamTest, APureAckTellsWhereAStreamWithoutASynStands) {
    segment(5000, "");
    segment(5003, "def");
    EXPECT_EQ(read, "");
    segment(5000, "abc");
    EXPECT_EQ(read, "abcdef");
}

TEST_F(TcpStreamTest, ThePeersAckTellsItToo) {
    EXPECT_FALSE(stream.acked(room, 5000));
    segment(5003, "def");
    EXPECT_TRUE(stream.gap());
    segment(5000, "abc");
    EXPECT_EQ(read, "abcdef");
}

TEST_F(TcpStreamTest, ALateSynIsTakenIn) {
    hold = true;
    segment(1003, "cd");
    EXPECT_EQ(segment(1000, "", "S").pushed, Pushed::syn);
    EXPECT_TRUE(stream.gap());
    EXPECT_EQ(as_text(segment(1001, "ab").delivery.ready), "abcd");
    EXPECT_EQ(stream.isn(), 1000u);
    EXPECT_EQ(segment(990, "", "S").pushed, Pushed::new_connection);
}

TEST_F(TcpStreamTest, ASynWithAnotherIsnIsANewConnection) {
    segment(1000, "", "S");
    EXPECT_EQ(segment(1000, "", "S").pushed, Pushed::syn_again);
    segment(1001, "abc");
    const Push push = segment(700000, "other", "S");
    EXPECT_EQ(push.pushed, Pushed::new_connection);
    EXPECT_TRUE(push.delivery.ready.empty());
    EXPECT_EQ(read, "abc");
    TcpStream unseen;
    TcpSegment data;
    data.seq = 5000;
    data.payload_bytes = 3;
    data.bytes = as_bytes("abc");
    const Push first = unseen.push(room, data);
    static_cast<void>(unseen.finish(room, first, 3));
    TcpSegment syn;
    syn.syn = true;
    syn.seq = 5003;
    EXPECT_EQ(unseen.push(room, syn).pushed, Pushed::new_connection);
}

TEST_F(TcpStreamTest, KeepAlivesNeverEnterTheStream) {
    segment(1000, "", "S");
    EXPECT_EQ(segment(1000, "?").pushed, Pushed::keep_alive);
    segment(1001, "abc");
    EXPECT_EQ(segment(1003, "?").pushed, Pushed::keep_alive);
    EXPECT_EQ(segment(1003, "").pushed, Pushed::keep_alive);
    segment(1004, "def");
    EXPECT_EQ(read, "abcdef");
    EXPECT_FALSE(stream.retransmission_seen());
    // Unread bytes are not disputed by a garbage byte either.
    hold = true;
    segment(1007, "ghi");
    EXPECT_FALSE(segment(1009, "?").delivery.conflict);
}

TEST_F(TcpStreamTest, AKeepAliveBeforeAnythingElseIsKnownByTheAck) {
    EXPECT_FALSE(stream.acked(room, 5000));
    EXPECT_EQ(segment(4999, "?").pushed, Pushed::keep_alive);
    EXPECT_EQ(segment(4999, "").pushed, Pushed::plain);
    segment(5000, "abc");
    EXPECT_EQ(read, "abc");
}

TEST_F(TcpStreamTest, FinIsAPositionNotAMoment) {
    segment(1000, "", "S");
    EXPECT_TRUE(segment(1004, "def", "F").fin);
    EXPECT_FALSE(stream.finished());
    EXPECT_EQ(segment(1007, "beyond").pushed, Pushed::after_end);
    segment(1001, "abc");
    EXPECT_EQ(read, "abcdef");
    EXPECT_TRUE(stream.finished());
    EXPECT_FALSE(segment(1007, "", "F").fin);
    EXPECT_EQ(segment(1008, "").pushed, Pushed::plain);
}

TEST_F(TcpStreamTest, AFinBelowDataSentIsNotBelieved) {
    segment(1000, "", "S");
    segment(1001, "abcdef");
    EXPECT_FALSE(segment(1003, "", "F").fin);
    segment(1007, "ghi");
    EXPECT_EQ(read, "abcdefghi");
}

TEST_F(TcpStreamTest, RstCountsInWindowOnly) {
    segment(1000, "", "S");
    segment(1001, "abc");
    const Push far = segment(1001 + 2 * TcpStream::kWindowBytes, "", "R");
    EXPECT_FALSE(far.rst);
    EXPECT_EQ(far.pushed, Pushed::out_of_window);
    EXPECT_TRUE(segment(1004, "", "R").rst);
    EXPECT_TRUE(stream.rst_seen());
    EXPECT_EQ(segment(1004, "def").pushed, Pushed::after_end);
    TcpStream fresh;
    TcpSegment rst;
    rst.rst = true;
    EXPECT_TRUE(fresh.push(room, rst).rst);
    EXPECT_FALSE(fresh.started());
}

TEST_F(TcpStreamTest, FarSegmentsAreLeftOut) {
    segment(1000, "", "S");
    segment(1001, "abc");
    EXPECT_EQ(segment(1004 + TcpStream::kWindowBytes + 1, "far").pushed, Pushed::out_of_window);
    EXPECT_EQ(segment(1004 - TcpStream::kWindowBytes - 1, "old").pushed, Pushed::out_of_window);
    segment(1004, "def");
    EXPECT_EQ(read, "abcdef");
}

TEST_F(TcpStreamTest, ARunOfFarSegmentsMeansLossAndResyncGoesOn) {
    segment(1000, "", "S");
    segment(1001, "abc");
    std::uint32_t seq = 1004 + 5 * TcpStream::kWindowBytes;
    for (unsigned i = 1; i < TcpStream::kStraysMax; ++i, seq += 3) {
        EXPECT_EQ(segment(seq, "far").pushed, Pushed::out_of_window);
    }
    EXPECT_EQ(segment(seq, "far").pushed, Pushed::lost);
    seq += 3;
    EXPECT_EQ(stream.resync(room), seq - 1004u);
    segment(seq, "on we go");
    EXPECT_EQ(read, "abcon we go");
}

TEST_F(TcpStreamTest, AcksPastAGapMeanLoss) {
    segment(1000, "", "S");
    segment(1001, "abc");
    segment(1008, "hi");
    EXPECT_FALSE(stream.acked(room, 1004));
    EXPECT_FALSE(stream.acked(room, 1010));
    EXPECT_FALSE(stream.acked(room, 1010));
    EXPECT_TRUE(stream.acked(room, 1010));
    EXPECT_EQ(stream.resync(room), 4u);
    EXPECT_EQ(as_text(stream.ready(room)), "hi");
    EXPECT_FALSE(stream.acked(room, 1010));
}

TEST_F(TcpStreamTest, AcksOfBytesNeverSeenMeanLossToo) {
    hold = true;
    segment(1000, "", "S");
    segment(1001, "abc");
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(stream.acked(room, 1500));
    EXPECT_TRUE(stream.acked(room, 1500));
    EXPECT_EQ(stream.resync(room), 499u);
    hold = false;
    segment(1500, "go on");
    EXPECT_EQ(read, "go on");
}

TEST_F(TcpStreamTest, AnEarlyAckOfAReorderedCaptureDoesNoHarm) {
    segment(1000, "", "S");
    EXPECT_FALSE(stream.acked(room, 1004));
    EXPECT_FALSE(stream.acked(room, 1004));
    segment(1001, "abc");
    EXPECT_FALSE(stream.acked(room, 1007));
    EXPECT_FALSE(stream.acked(room, 1007));
    segment(1004, "def");
    EXPECT_EQ(read, "abcdef");
    EXPECT_FALSE(stream.acked(room, 1008));  // of a FIN that was not captured
    EXPECT_FALSE(stream.acked(room, 1008));
    EXPECT_FALSE(stream.acked(room, 1008));
}

TEST_F(TcpStreamTest, CutSegmentsLeaveAGapWhereTheCutIs) {
    segment(1000, "", "S");
    TcpSegment cut;
    cut.seq = 1001;
    cut.payload_bytes = 100;
    cut.bytes = as_bytes("abc");
    const Push push = stream.push(room, cut);
    EXPECT_EQ(as_text(push.delivery.ready), "abc");
    static_cast<void>(stream.finish(room, push, 3));
    EXPECT_EQ(segment(1101, "next").delivery.added, Added::waiting);
    EXPECT_EQ(stream.highest(), 104u);
}

TEST_F(TcpStreamTest, SkippedBodiesAreNoRetransmissions) {
    segment(1000, "", "S");
    segment(1001, "head");
    stream.consume(room, 3'000'000);
    std::uint32_t seq = 1005;
    const std::string block(1000, 'b');
    for (int i = 0; i < 3000; ++i, seq += 1000) {
        if (i % 10 == 3) continue;  // lost in the body: blocks nothing
        EXPECT_EQ(segment(seq, block).delivery.added, Added::below_base);
    }
    EXPECT_FALSE(stream.retransmission_seen());
    EXPECT_FALSE(stream.acked(room, seq));
    segment(seq, "next head");
    EXPECT_EQ(read, "headnext head");
    EXPECT_EQ(pool->bytes_used(), 0u);
}

TEST_F(TcpStreamTest, AnyCutAndOrderGivesTheSameBytes) {
    std::mt19937 random(7);
    std::string text(3000, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    for (int round = 0; round < 300; ++round) {
        struct Cut {
            std::uint32_t at;
            std::uint32_t length;
        };
        std::vector<Cut> cuts;
        for (std::uint32_t at = 0; at < text.size();) {
            const auto length = static_cast<std::uint32_t>(
                std::min<std::size_t>(1 + random() % 400, text.size() - at));
            cuts.push_back({at, length});
            if (random() % 4 == 0) cuts.push_back({at, length});  // sent twice
            if (random() % 4 == 0 && at > 50) {                   // and once with an overlap
                const auto more = static_cast<std::uint32_t>(std::min<std::size_t>(length + 50, text.size() - at + 50));
                cuts.push_back({at - 50, more});
            }
            at += length;
        }
        std::shuffle(cuts.begin(), cuts.end(), random);
        const auto isn = static_cast<std::uint32_t>(random());
        const bool syn = round % 2 == 0;
        stream = TcpStream();
        read.clear();
        hold = !syn;  // without a SYN nothing can be read before it is known where the stream begins
        if (syn) segment(isn, "", "S");
        const std::size_t before = test::allocation_count();
        std::size_t delivered = 0;
        for (const Cut& cut : cuts) {
            TcpSegment in;
            in.seq = isn + 1 + cut.at;
            in.bytes = as_bytes(std::string_view(text).substr(cut.at, cut.length));
            in.payload_bytes = cut.length;
            const Push push = stream.push(room, in);
            ASSERT_FALSE(push.delivery.conflict);
            const std::size_t used = hold ? 0 : push.delivery.ready.size();
            for (std::size_t i = 0; i < used; ++i) {
                ASSERT_EQ(push.delivery.ready[i], static_cast<std::uint8_t>(text[delivered + i]));
            }
            delivered += used;
            ASSERT_FALSE(gave_up(stream.finish(room, push, used)));
        }
        ASSERT_EQ(test::allocation_count(), before);
        if (hold) {
            ASSERT_EQ(as_text(stream.ready(room)), text);
        } else {
            ASSERT_EQ(delivered, text.size());
        }
        stream.clear(room);
        ASSERT_EQ(pool->bytes_used(), 0u);
    }
}

TEST(PushedNames, AreThoseOfTheTable) {
    EXPECT_EQ(pushed_name(Pushed::keep_alive), "keep_alive");
    EXPECT_EQ(pushed_name(Pushed::lost), "lost");
}

}  // namespace
}  // namespace seine::stream
