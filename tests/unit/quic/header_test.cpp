// Packet headers: types of each version, coalescing, every truncation, what is no QUIC.
#include "dataplane/quic/header.h"

#include <gtest/gtest.h>

#include "tests/unit/quic/initial_builder.h"

namespace seine::quic {
namespace {

Packet read_one(ByteView bytes, Parse expected = Parse::ok) {
    ByteReader in(bytes);
    Packet packet;
    EXPECT_EQ(read_packet(in, packet), expected);
    return packet;
}

TEST(QuicHeader, ReadsTheInitialsOfTheRfcs) {
    for (const auto text : {kClientInitialV1Hex, kClientInitialV2Hex}) {
        const Bytes bytes = unhex(text);
        const Packet packet = read_one(bytes);
        EXPECT_EQ(packet.type, PacketType::initial);
        EXPECT_EQ(hex(packet.target_id), kClientIdHex);
        EXPECT_TRUE(packet.source_id.empty() && packet.token.empty());
        EXPECT_EQ(packet.bytes.size(), 1200u);
        EXPECT_EQ(packet.number_offset, 18u);
        EXPECT_TRUE(looks_like_quic(bytes));
    }
    const Bytes server = unhex(kServerInitialV2Hex);
    const Packet packet = read_one(server);
    EXPECT_EQ(packet.type, PacketType::initial);
    EXPECT_EQ(packet.version, kVersion2);
    EXPECT_EQ(hex(packet.source_id), kServerIdHex);
}

TEST(QuicHeader, ReadsTheRetriesOfTheRfcs) {
    for (const auto text : {kRetryV1Hex, kRetryV2Hex}) {
        const Bytes bytes = unhex(text);
        const Packet packet = read_one(bytes);
        EXPECT_EQ(packet.type, PacketType::retry);
        EXPECT_EQ(as_text(packet.token), "token");
        EXPECT_EQ(hex(packet.source_id), kServerIdHex);
        EXPECT_TRUE(looks_like_quic(bytes));
        // Without room for the tag.
        read_one(ByteView(bytes).first(15 + 15), Parse::malformed);
    }
}

TEST(QuicHeader, NumbersPacketTypesByVersion) {
    for (const std::uint32_t version : {kVersion1, kVersion2, kDraftBase + 28, kDraftBase + 29}) {
        for (const auto type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
            const Bytes bytes =
                build_packet({.type = type, .version = version, .payload = Bytes(40)});
            EXPECT_EQ(read_one(bytes).type, type) << version;
            EXPECT_TRUE(looks_like_quic(bytes));
        }
    }
}

TEST(QuicHeader, ReadsCoalescedPacketsOneByOne) {
    const Bytes initial = build_packet({.payload = crypto_frame(0, text("hello"))});
    const Bytes zero_rtt = build_packet({.type = PacketType::zero_rtt, .payload = Bytes(60)});
    const Bytes datagram = joined({initial, zero_rtt, Bytes(40, 0x41)});
    ByteReader in(datagram);
    Packet packet;
    ASSERT_EQ(read_packet(in, packet), Parse::ok);
    EXPECT_EQ(packet.bytes.size(), initial.size());
    ASSERT_EQ(read_packet(in, packet), Parse::ok);
    EXPECT_EQ(packet.type, PacketType::zero_rtt);
    EXPECT_EQ(packet.bytes.size(), zero_rtt.size());
    ASSERT_EQ(read_packet(in, packet), Parse::ok);
    EXPECT_EQ(packet.type, PacketType::short_header);
    EXPECT_EQ(packet.bytes.size(), 40u);
    EXPECT_EQ(read_packet(in, packet), Parse::not_this);
    EXPECT_TRUE(looks_like_quic(datagram));
    EXPECT_TRUE(looks_like_quic(joined({initial, Bytes(500, 0)})));
    EXPECT_FALSE(looks_like_quic(joined({initial, Bytes(3, 0), text("xyz")})));
}

TEST(QuicHeader, ReadsVersionNegotiation) {
    // Ids of any length up to 255 (RFC 8999 section 6).
    Bytes bytes = unhex("8a00000000");
    bytes.push_back(25);
    append(bytes, Bytes(25, 1));
    bytes.push_back(0);
    append(bytes, unhex("1a2a3a4a00000001"));
    EXPECT_EQ(read_one(bytes).type, PacketType::version_negotiation);
    EXPECT_TRUE(looks_like_quic(bytes));
    read_one(ByteView(bytes).first(bytes.size() - 1), Parse::malformed);
    read_one(ByteView(bytes).first(bytes.size() - 8), Parse::malformed);
    EXPECT_FALSE(looks_like_quic(ByteView(bytes).first(bytes.size() - 4)));
}

TEST(QuicHeader, SaysUnknownVersionsAreUnknown) {
    const Bytes bytes = unhex("cababababa08000102030405060700ffffff");
    const Packet packet = read_one(bytes);
    EXPECT_EQ(packet.type, PacketType::unknown_version);
    EXPECT_TRUE(is_grease_version(0xbababababau & 0xffffffffu));
    EXPECT_EQ(hex(packet.target_id), "0001020304050607");
    EXPECT_FALSE(looks_like_quic(bytes));
    EXPECT_FALSE(is_grease_version(kVersion1));
}

TEST(QuicHeader, RefusesGoogleQuicAndOtherProtocols) {
    // Q043 public header with version and connection id; Q046 long header; DNS query; DTLS; STUN.
    for (const char* text :
         {"0d89a1b2c3d4e5f60751303433010102030405060708090a0b0c", "c3513034365012345678",
          "a1b201000001000000000000037777770765", "16fefd0000000000000000", "000100002112a442", "",
          "00", "40", "c0", "ff"}) {
        EXPECT_FALSE(looks_like_quic(unhex(text))) << text;
    }
}

TEST(QuicHeader, RefusesWhatCannotBe) {
    read_one(Bytes(50, 0x3f), Parse::not_this);
    // A connection id of 21 bytes.
    Bytes bytes = unhex("c00000000115");
    append(bytes, Bytes(40));
    read_one(bytes, Parse::malformed);
    // A Length of 19: no room for a number and its sample.
    bytes = unhex("c000000001000000");
    bytes.push_back(19);
    append(bytes, Bytes(40));
    read_one(bytes, Parse::malformed);
    bytes[8] = 20;
    EXPECT_EQ(read_one(bytes).bytes.size(), 29u);
}

TEST(QuicHeader, ReadsLongHeadersWithoutTheFixedBitButDoesNotStartAFlowWithOne) {
    Bytes bytes = unhex(kClientInitialV1Hex);
    EXPECT_TRUE(read_one(bytes).fixed_bit);
    bytes[0] &= 0xbf;
    const Packet packet = read_one(bytes);
    EXPECT_EQ(packet.type, PacketType::initial);
    EXPECT_FALSE(packet.fixed_bit);
    EXPECT_FALSE(looks_like_quic(bytes));
}

TEST(QuicHeader, AsksForMoreAtEveryTruncation) {
    const Bytes bytes =
        build_packet({.source_id = Bytes(20, 5), .token = text("a token"), .payload = Bytes(30)});
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        read_one(cut, Parse::need_more);
        EXPECT_FALSE(looks_like_quic(cut));
    }
    EXPECT_EQ(as_text(read_one(bytes).token), "a token");
    read_one({}, Parse::not_this);
}

TEST(QuicHeader, AnswersWhateverBitIsFlipped) {
    const Bytes bytes =
        build_packet({.source_id = Bytes(4, 5), .token = text("tok"), .payload = Bytes(30)});
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes changed = bytes;
            changed[i] ^= static_cast<std::uint8_t>(1u << bit);
            ByteReader in(changed);
            Packet packet;
            if (read_packet(in, packet) != Parse::ok) continue;
            EXPECT_EQ(packet.bytes.size() + in.left(), bytes.size());
            if (packet.type == PacketType::initial) {
                EXPECT_LE(packet.number_offset + 20, packet.bytes.size());
            }
        }
    }
}

}  // namespace
}  // namespace seine::quic
