// One flow's QUIC handshake: who is the client, Retry, versions, coalescing, shuffled pieces,
// budgets.
#include "dataplane/quic/session.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/quic/initial_builder.h"

namespace seine::quic {
namespace {

constexpr Path kClient = 1;
constexpr Path kServer = 0;

class SessionTest : public ::testing::Test {
  protected:
    Parse feed(Bytes datagram, Path path) {
        datagram_ = std::move(datagram);  // the facts borrow from it
        scratch_.assign(datagram_.size() + 21, 0xee);
        return session_.on_datagram(datagram_, path, *made_.value(), scratch_, facts_);
    }
    static PacketPlan client(std::uint64_t number, Bytes payload) {
        return {.source_id = text("client"), .number = number, .payload = std::move(payload)};
    }
    // Answers the client above; keys from the client's first id.
    static PacketPlan server(std::uint64_t number, Bytes payload) {
        return {.from_client = false,
                .target_id = text("client"),
                .source_id = text("the server"),
                .number = number,
                .payload = std::move(payload)};
    }
    // Puts the pieces together as the pipeline would.
    void collect(Bytes& stream) const {
        for (const CryptoPiece& piece : facts_.crypto) {
            const std::size_t end = piece.offset + piece.bytes.size();
            if (stream.size() < end) stream.resize(end);
            std::copy(piece.bytes.begin(), piece.bytes.end(),
                      stream.begin() + static_cast<std::ptrdiff_t>(piece.offset));
        }
    }
    Result<std::unique_ptr<crypto::QuicCrypto>> made_ = crypto::QuicCrypto::make();
    Session session_;
    DatagramFacts facts_;
    Bytes datagram_;
    Bytes scratch_;
};

TEST_F(SessionTest, OpensBothSidesOfTheRfcHandshakes) {
    for (const bool v2 : {false, true}) {
        session_ = Session();
        ASSERT_EQ(feed(unhex(v2 ? kClientInitialV2Hex : kClientInitialV1Hex), kClient), Parse::ok);
        EXPECT_EQ(facts_.side, Side::client);
        EXPECT_EQ(facts_.version, v2 ? kVersion2 : kVersion1);
        EXPECT_EQ(facts_.opened_count, 1);
        EXPECT_FALSE(facts_.rekeyed);
        ASSERT_EQ(facts_.crypto.size(), 1u);
        EXPECT_EQ(hex(facts_.crypto[0].bytes), kClientHelloHex);
        EXPECT_TRUE(session_.client_known());
        EXPECT_EQ(session_.client_path(), kClient);
        EXPECT_EQ(hex(session_.original_id()), kClientIdHex);

        ASSERT_EQ(feed(unhex(v2 ? kServerInitialV2Hex : kServerInitialV1Hex), kServer), Parse::ok);
        EXPECT_EQ(facts_.side, Side::server);
        EXPECT_EQ(facts_.opened_count, 1);
        EXPECT_EQ(facts_.frames.ack_count, 1);
        ASSERT_EQ(facts_.crypto.size(), 1u);
        EXPECT_EQ(facts_.crypto[0].bytes.size(), 90u);
    }
}

TEST_F(SessionTest, SaysSoWhenAServerIsSeenWithoutItsClient) {
    const Bytes from_server = build_packet(server(0, crypto_frame(0, text("server hello"))));
    ASSERT_EQ(feed(from_server, kServer), Parse::ok);
    EXPECT_EQ(facts_.side, Side::unknown);
    EXPECT_EQ(facts_.no_keys_count, 1);
    EXPECT_TRUE(facts_.initial && facts_.crypto.empty());
    // The client comes late, as in a capture out of order; the server's copy then opens.
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("client hello")))), kClient),
              Parse::ok);
    EXPECT_EQ(facts_.side, Side::client);
    ASSERT_EQ(feed(from_server, kServer), Parse::ok);
    EXPECT_EQ(facts_.side, Side::server);
    ASSERT_EQ(facts_.crypto.size(), 1u);
    EXPECT_EQ(as_text(facts_.crypto[0].bytes), "server hello");
}

TEST_F(SessionTest, KeepsTheKeysWhenTheClientTakesTheServersId) {
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("one ")))), kClient), Parse::ok);
    PacketPlan second = client(1, crypto_frame(4, text("two")));
    second.target_id = text("the server");  // its key_id stays
    ASSERT_EQ(feed(build_packet(second), kClient), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    EXPECT_FALSE(facts_.rekeyed);
    EXPECT_EQ(hex(session_.original_id()), kClientIdHex);
}

TEST_F(SessionTest, FollowsARetry) {
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    EXPECT_TRUE(facts_.token.empty());
    ASSERT_EQ(feed(unhex(kRetryV1Hex), kServer), Parse::ok);
    EXPECT_TRUE(facts_.retry && facts_.retry_sound);
    EXPECT_EQ(as_text(facts_.retry_token), "token");

    PacketPlan again = client(1, crypto_frame(0, text("hello")));
    again.target_id = again.key_id = unhex(kServerIdHex);
    again.token = text("token");
    ASSERT_EQ(feed(build_packet(again), kClient), Parse::ok);
    EXPECT_TRUE(facts_.rekeyed);
    EXPECT_EQ(as_text(facts_.token), "token");
    EXPECT_EQ(as_text(facts_.crypto[0].bytes), "hello");

    PacketPlan answer = server(0, crypto_frame(0, text("server hello")));
    answer.key_id = unhex(kServerIdHex);
    ASSERT_EQ(feed(build_packet(answer), kServer), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    // The next Initial under the new keys is no second change.
    again.number = 2;
    ASSERT_EQ(feed(build_packet(again), kClient), Parse::ok);
    EXPECT_FALSE(facts_.rekeyed);
    EXPECT_EQ(facts_.opened_count, 1);
}

TEST_F(SessionTest, IsNotMovedByAForgedRetry) {
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("one ")))), kClient), Parse::ok);
    Bytes forged = unhex(kRetryV1Hex);
    forged.back() ^= 1;
    ASSERT_EQ(feed(forged, kServer), Parse::ok);
    EXPECT_TRUE(facts_.retry);
    EXPECT_FALSE(facts_.retry_sound);
    ASSERT_EQ(feed(build_packet(client(1, crypto_frame(4, text("two")))), kClient), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    EXPECT_FALSE(facts_.rekeyed);
}

TEST_F(SessionTest, FollowsCompatibleVersionNegotiation) {
    // RFC 9368 section 2.3: version 1 asked, version 2 answered, both keyed by the first id.
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    PacketPlan answer = server(0, crypto_frame(0, text("server hello")));
    answer.version = kVersion2;
    ASSERT_EQ(feed(build_packet(answer), kServer), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    PacketPlan second = client(1, crypto_frame(5, text("more")));
    second.version = kVersion2;
    second.target_id = text("the server");
    ASSERT_EQ(feed(build_packet(second), kClient), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    EXPECT_EQ(session_.version(), kVersion2);
    EXPECT_FALSE(facts_.rekeyed);
}

TEST_F(SessionTest, FollowsVersionNegotiationWithTheSameIdAgain) {
    PacketPlan first = client(0, crypto_frame(0, text("hello")));
    first.version = kVersion2;
    ASSERT_EQ(feed(build_packet(first), kClient), Parse::ok);
    Bytes negotiation = unhex("800000000006636c69656e7408");
    append(negotiation, unhex(kClientIdHex));
    append(negotiation, unhex("00000001"));
    ASSERT_EQ(feed(negotiation, kServer), Parse::ok);
    EXPECT_TRUE(facts_.version_negotiation);
    first.version = kVersion1;
    ASSERT_EQ(feed(build_packet(first), kClient), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    EXPECT_EQ(session_.version(), kVersion1);
}

TEST_F(SessionTest, WalksCoalescedPackets) {
    const Bytes datagram = joined(
        {build_packet(client(0, crypto_frame(0, text("one ")))),
         build_packet(client(1, crypto_frame(4, text("two")))),
         build_packet(
             {.type = PacketType::zero_rtt, .source_id = text("client"), .payload = Bytes(30)}),
         build_packet(
             {.type = PacketType::handshake, .source_id = text("client"), .payload = Bytes(30)}),
         Bytes(33, 0x55)});
    ASSERT_EQ(feed(datagram, kClient), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 2);
    EXPECT_TRUE(facts_.initial && facts_.zero_rtt && facts_.handshake && facts_.short_header);
    Bytes stream;
    collect(stream);
    EXPECT_EQ(as_text(stream), "one two");
    EXPECT_EQ(facts_.trailing_bytes, 0);

    ASSERT_EQ(feed(joined({build_packet(client(2, Bytes{1})), Bytes(70, 0)}), kClient), Parse::ok);
    EXPECT_EQ(facts_.trailing_bytes, 70);
}

TEST_F(SessionTest, SkipsCoalescedPacketsOfAnotherConnection) {
    PacketPlan foreign = client(1, crypto_frame(4, text("two")));
    foreign.target_id = foreign.key_id = text("somebody else");
    ASSERT_EQ(feed(joined({build_packet(client(0, crypto_frame(0, text("one ")))),
                           build_packet(foreign)}),
                   kClient),
              Parse::ok);
    EXPECT_EQ(facts_.foreign_count, 1);
    EXPECT_EQ(facts_.opened_count, 1);
    EXPECT_EQ(hex(session_.original_id()), kClientIdHex);
}

TEST_F(SessionTest, YieldsAHelloShuffledOverPiecesAndDatagrams) {
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        session_ = Session();
        Bytes hello(3000);
        for (auto& byte : hello) byte = static_cast<std::uint8_t>(random());
        std::vector<Bytes> frames;
        for (std::size_t at = 0; at < hello.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 400, hello.size() - at);
            frames.push_back(crypto_frame(at, ByteView(hello).subspan(at, size)));
            at += size;
        }
        std::shuffle(frames.begin(), frames.end(), random);
        std::vector<Bytes> datagrams;
        Bytes payload;
        std::uint64_t number = 0;
        for (const Bytes& frame : frames) {
            append(payload, frame);
            append(payload, random() % 2 == 0 ? Bytes{1} : Bytes(random() % 30));
            if (payload.size() < 900 && &frame != &frames.back()) continue;
            PacketPlan plan = client(number++, payload);
            plan.packet_bytes_min = 1250;
            datagrams.push_back(build_packet(plan));
            payload.clear();
        }
        std::shuffle(datagrams.begin(), datagrams.end(), random);
        Bytes stream;
        for (const Bytes& datagram : datagrams) {
            ASSERT_EQ(feed(datagram, kClient), Parse::ok);
            EXPECT_EQ(facts_.opened_count, 1);
            collect(stream);
        }
        EXPECT_EQ(stream, hello);
    }
}

TEST_F(SessionTest, OpensInitialsWithAVariedFixedBit) {
    const Bytes greased_short(40, 0x15);
    EXPECT_EQ(feed(greased_short, kServer), Parse::not_this);
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    PacketPlan answer = server(0, crypto_frame(0, text("server hello")));
    answer.fixed_bit = false;
    ASSERT_EQ(feed(build_packet(answer), kServer), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
    ASSERT_EQ(feed(greased_short, kServer), Parse::ok);
    EXPECT_TRUE(facts_.short_header);
}

TEST_F(SessionTest, NoticesANewConnectionOnTheSamePorts) {
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    PacketPlan other = client(0, crypto_frame(0, text("HELLO")));
    other.target_id = other.key_id = text("another id");
    ASSERT_EQ(feed(build_packet(other), kClient), Parse::ok);
    EXPECT_TRUE(facts_.rekeyed);
    EXPECT_TRUE(facts_.token.empty());
    EXPECT_EQ(as_text(session_.original_id()), "another id");
}

TEST_F(SessionTest, SpendsABoundedNumberOfKeySchedules) {
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    int limit_count = 0;
    for (std::uint8_t i = 0; i < 40; ++i) {
        PacketPlan garbage = client(0, Bytes(40));
        garbage.target_id = Bytes(8, i);
        garbage.key_id = text("never seen");
        const Parse status = feed(build_packet(garbage), kClient);
        if (status == Parse::limit)
            ++limit_count;
        else
            EXPECT_EQ(facts_.failed_count, 1);
    }
    EXPECT_EQ(limit_count, 40 - (kDerivationsMax - 1));
    EXPECT_TRUE(session_.exhausted(kClient));
    EXPECT_FALSE(session_.exhausted(kServer));
    ASSERT_EQ(feed(build_packet(server(0, crypto_frame(0, text("hello")))), kServer), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
}

TEST_F(SessionTest, GivesUpAfterItsDatagrams) {
    session_ = Session(4);
    for (std::uint64_t i = 0; i < 10; ++i) {
        const Parse status = feed(build_packet(client(i, crypto_frame(i, text("x")))), kClient);
        EXPECT_EQ(status, i < 4 ? Parse::ok : Parse::limit) << i;
        EXPECT_EQ(facts_.opened_count, i < 4 ? 1 : 0);
        EXPECT_TRUE(facts_.initial);
    }
    EXPECT_TRUE(session_.exhausted(kClient));
}

TEST_F(SessionTest, DoesNotLetALoneServerSpendItsBudgetForNothing) {
    for (std::uint64_t i = 0; i < 30; ++i) {
        static_cast<void>(feed(build_packet(server(i, crypto_frame(0, text("x")))), kServer));
    }
    EXPECT_TRUE(session_.exhausted(kServer));
    ASSERT_EQ(feed(build_packet(client(0, crypto_frame(0, text("hello")))), kClient), Parse::ok);
    EXPECT_FALSE(session_.exhausted(kServer));
    ASSERT_EQ(feed(build_packet(server(1, crypto_frame(0, text("x")))), kServer), Parse::ok);
    EXPECT_EQ(facts_.opened_count, 1);
}

TEST_F(SessionTest, ReportsBrokenFramesAndKeepsWhatStoodBefore) {
    const Bytes payload = joined({crypto_frame(0, text("good")), Bytes{0x08}});  // STREAM
    ASSERT_EQ(feed(build_packet(client(0, payload)), kClient), Parse::malformed);
    EXPECT_EQ(facts_.opened_count, 1);
    ASSERT_EQ(facts_.crypto.size(), 1u);
    EXPECT_EQ(as_text(facts_.crypto[0].bytes), "good");
}

TEST_F(SessionTest, RefusesWhatIsNotQuic) {
    EXPECT_EQ(feed({}, kClient), Parse::not_this);
    EXPECT_EQ(feed(Bytes(50, 0x11), kClient), Parse::not_this);
    EXPECT_EQ(feed(Bytes(50, 0x51), kClient), Parse::ok);
    EXPECT_TRUE(facts_.short_header);
    Bytes unknown = unhex("cababababa0001aa");
    EXPECT_EQ(feed(unknown, kClient), Parse::ok);
    EXPECT_TRUE(facts_.unknown_version);
}

TEST_F(SessionTest, AnswersEveryTruncationAndEveryFlippedByte) {
    const Bytes datagram = joined({build_packet(client(0, crypto_frame(0, text("one ")))),
                                   build_packet(client(1, crypto_frame(4, text("two"))))});
    const std::size_t first_bytes = build_packet(client(0, crypto_frame(0, text("one ")))).size();
    for (std::size_t size = 1; size < datagram.size(); ++size) {
        session_ = Session();
        const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(feed(cut, kClient), size == first_bytes ? Parse::ok : Parse::need_more) << size;
        EXPECT_EQ(facts_.opened_count, size >= first_bytes ? 1 : 0);
    }
    for (std::size_t i = 0; i < datagram.size(); ++i) {
        for (const std::uint8_t flip : Bytes{0x01, 0x10, 0x80, 0xff}) {
            session_ = Session();
            Bytes changed = datagram;
            changed[i] ^= flip;
            static_cast<void>(feed(changed, kClient));
            EXPECT_LE(facts_.opened_count, 1) << i;
        }
    }
}

TEST_F(SessionTest, AsksForScratch) {
    const Bytes datagram = build_packet(client(0, crypto_frame(0, text("hello"))));
    Bytes small(datagram.size() - 1);
    EXPECT_EQ(session_.on_datagram(datagram, kClient, *made_.value(), small, facts_), Parse::limit);
    EXPECT_EQ(facts_.opened_count, 0);
}

}  // namespace
}  // namespace seine::quic
