// Frames inside Initials: what may stand there, bounds, truncations.
#include "dataplane/quic/frames.h"

#include <gtest/gtest.h>

#include "dataplane/quic/varint.h"
#include "tests/unit/quic/initial_builder.h"

namespace seine::quic {
namespace {

struct Walked {
    Parse status{};
    FrameFacts facts;
    CryptoPieces pieces;
};
Walked walk(const Bytes& payload) {
    Walked out;
    out.status = read_initial_frames(payload, out.facts, out.pieces);
    return out;
}

TEST(InitialFrames, ReadsTheServerPayloadOfRfc9001AppendixA3) {
    const Bytes payload = unhex(kServerPayloadHex);
    const Walked walked = walk(payload);
    ASSERT_EQ(walked.status, Parse::ok);
    EXPECT_EQ(walked.facts.ack_count, 1);
    ASSERT_EQ(walked.pieces.size(), 1u);
    EXPECT_EQ(walked.pieces[0].offset, 0u);
    EXPECT_EQ(walked.pieces[0].bytes.size(), 90u);
    EXPECT_EQ(walked.pieces[0].bytes[0], 2);  // ServerHello
}

TEST(InitialFrames, YieldsPiecesInWireOrder) {
    const Bytes payload = joined({crypto_frame(7, text("second")), Bytes{1}, Bytes(100, 0),
                                  crypto_frame(0, text("first..")), crypto_frame(13, {})});
    const Walked walked = walk(payload);
    ASSERT_EQ(walked.status, Parse::ok);
    ASSERT_EQ(walked.pieces.size(), 2u);
    EXPECT_EQ(as_text(walked.pieces[0].bytes), "second");
    EXPECT_EQ(as_text(walked.pieces[1].bytes), "first..");
    EXPECT_EQ(walked.facts.padding_bytes, 100u);
    EXPECT_EQ(walked.facts.ping_count, 1);
    EXPECT_EQ(walked.facts.crypto_count, 3);
}

TEST(InitialFrames, CountsPaddingOfAnyLength) {
    for (std::size_t size = 1; size < 200; ++size) {
        EXPECT_EQ(walk(Bytes(size)).facts.padding_bytes, size);
        const Walked walked = walk(joined({Bytes(size), Bytes{1}}));
        EXPECT_EQ(walked.facts.padding_bytes, size);
        EXPECT_EQ(walked.facts.ping_count, 1);
    }
}

TEST(InitialFrames, ReadsAckWithRangesAndEcnAndClose) {
    Bytes payload = unhex(
        "03"
        "4ac1"
        "19"
        "02"
        "01"
        "0001"
        "0203"
        "05"
        "4006"
        "07");
    append(payload, unhex("1c"
                          "4128"
                          "06"
                          "03627965"));  // TLS alert 40, "bye"
    const Walked walked = walk(payload);
    ASSERT_EQ(walked.status, Parse::ok);
    EXPECT_EQ(walked.facts.ack_count, 1);
    EXPECT_TRUE(walked.facts.closed);
    EXPECT_EQ(walked.facts.close_error, 0x128u);
}

TEST(InitialFrames, RefusesFramesThatMayNotStandThere) {
    for (unsigned type = 0; type < 256; ++type) {
        const bool allowed = type <= 3 || type == 6 || type == 0x1c;
        const Walked walked =
            walk(joined({Bytes{1, static_cast<std::uint8_t>(type)}, Bytes(40, 0)}));
        EXPECT_EQ(walked.status, allowed ? Parse::ok : Parse::malformed) << type;
        EXPECT_EQ(walked.facts.ping_count, type == 1 ? 2 : 1);
    }
    EXPECT_EQ(walk({}).status, Parse::malformed);
    EXPECT_EQ(walk(unhex("400600")).status, Parse::malformed);  // CRYPTO, its type in two bytes
}

TEST(InitialFrames, RefusesOffsetsPastTheStream) {
    EXPECT_EQ(walk(crypto_frame(kVarintMax - 3, text("abc"))).status, Parse::ok);
    EXPECT_EQ(walk(crypto_frame(kVarintMax - 2, text("abc"))).status, Parse::malformed);
}

TEST(InitialFrames, StopsAtItsBounds) {
    Bytes payload;
    for (std::size_t i = 0; i <= kCryptoPiecesMax; ++i) append(payload, crypto_frame(i, text("x")));
    const Walked pieces = walk(payload);
    EXPECT_EQ(pieces.status, Parse::limit);
    EXPECT_EQ(pieces.pieces.size(), kCryptoPiecesMax);
    EXPECT_EQ(walk(Bytes(kFramesPerPacketMax, 1)).status, Parse::ok);
    EXPECT_EQ(walk(Bytes(kFramesPerPacketMax + 1, 1)).status, Parse::limit);
    Bytes ack = unhex("020000");
    append_varint(ack, kAckRangesMax + 1);
    append(ack, Bytes(1 + 2 * (kAckRangesMax + 1)));
    EXPECT_EQ(walk(ack).status, Parse::limit);
}

TEST(InitialFrames, RefusesEveryTruncationInsideAFrame) {
    const Bytes payload =
        joined({unhex("0205020101000103040506"), crypto_frame(300, text("abcdefgh")),
                unhex("1c0106036279650102")});
    for (std::size_t size = 0; size <= payload.size(); ++size) {
        Bytes cut(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
        const Walked walked = walk(cut);
        EXPECT_TRUE(walked.status == Parse::ok || walked.status == Parse::malformed) << size;
    }
    Bytes changed = payload;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        for (unsigned value = 0; value < 256; ++value) {
            changed[i] = static_cast<std::uint8_t>(value);
            const Walked walked = walk(changed);
            EXPECT_NE(walked.status, Parse::not_this);
            for (const CryptoPiece& piece : walked.pieces) {
                EXPECT_LE(piece.offset + piece.bytes.size(), kVarintMax);
            }
        }
        changed[i] = payload[i];
    }
}

}  // namespace
}  // namespace seine::quic
