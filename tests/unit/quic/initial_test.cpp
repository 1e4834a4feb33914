// Opening Initials: the RFCs' packets, packet numbers, damage anywhere, Retry tags.
#include "dataplane/quic/initial.h"

#include <gtest/gtest.h>

#include "tests/unit/quic/initial_builder.h"

namespace seine::quic {
namespace {

class InitialTest : public ::testing::Test {
  protected:
    crypto::QuicCrypto& crypto() { return *made_.value(); }
    crypto::QuicKeys keys(std::uint32_t version, crypto::QuicSide side, const Bytes& id) {
        crypto::QuicSalt salt{};
        EXPECT_TRUE(known_version(version, salt));
        return crypto().initial_keys(salt, id, side);
    }
    Parse open(const Bytes& bytes, crypto::QuicSide side) {
        ByteReader in(bytes);
        Packet packet;
        EXPECT_EQ(read_packet(in, packet), Parse::ok);
        scratch_.assign(packet.bytes.size(), 0xee);
        return open_initial(packet, keys(packet.version, side, unhex(kClientIdHex)), crypto(),
                            space_, scratch_, opened_);
    }
    Result<std::unique_ptr<crypto::QuicCrypto>> made_ = crypto::QuicCrypto::make();
    NumberSpace space_;
    OpenedInitial opened_;
    Bytes scratch_;
};

TEST_F(InitialTest, OpensTheClientInitialsOfTheRfcs) {
    for (const auto text : {kClientInitialV1Hex, kClientInitialV2Hex}) {
        space_ = {};
        const Bytes bytes = unhex(text);
        ASSERT_EQ(open(bytes, crypto::QuicSide::client), Parse::ok);
        EXPECT_EQ(opened_.packet_number, 2u);
        EXPECT_EQ(space_.next, 3u);
        EXPECT_EQ(opened_.payload.size(), 1162u);
        EXPECT_EQ(hex(opened_.payload.first(4)), "060040f1");
        EXPECT_EQ(hex(opened_.payload.subspan(4, 241)), kClientHelloHex);
        EXPECT_EQ(bytes, unhex(text));  // the frame is left as it was
        EXPECT_EQ(open(bytes, crypto::QuicSide::server), Parse::not_this);
    }
}

TEST_F(InitialTest, OpensTheServerInitialsOfTheRfcs) {
    for (const auto text : {kServerInitialV1Hex, kServerInitialV2Hex}) {
        ASSERT_EQ(open(unhex(text), crypto::QuicSide::server), Parse::ok);
        EXPECT_EQ(opened_.packet_number, 1u);
        EXPECT_EQ(hex(opened_.payload), kServerPayloadHex);
    }
}

TEST_F(InitialTest, OpensWhatTheReferenceSealsInEveryVersionAndShape) {
    for (const std::uint32_t version : {kVersion1, kVersion2, kDraftBase + 23, kDraftBase + 28,
                                        kDraftBase + 29, kDraftBase + 32, kDraftBase + 34}) {
        for (std::uint8_t number_bytes = 1; number_bytes <= 4; ++number_bytes) {
            for (const std::size_t size : {4u, 5u, 16u, 17u, 31u, 300u, 1180u}) {
                space_ = {};
                PacketPlan plan{.version = version,
                                .from_client = number_bytes % 2 == 0,
                                .source_id = Bytes(size % 21, 9),
                                .token = Bytes(size % 7, 1),
                                .number = number_bytes,
                                .number_bytes = number_bytes};
                for (std::size_t i = 0; i < size; ++i)
                    plan.payload.push_back(static_cast<std::uint8_t>(i * 7));
                const auto side =
                    plan.from_client ? crypto::QuicSide::client : crypto::QuicSide::server;
                ASSERT_EQ(open(build_packet(plan), side), Parse::ok);
                EXPECT_EQ(Bytes(opened_.payload.begin(), opened_.payload.end()), plan.payload);
                EXPECT_EQ(opened_.packet_number, number_bytes);
            }
        }
    }
}

TEST_F(InitialTest, ReconstructsPacketNumbers) {
    // RFC 9000 appendix A.3: 0xa82f30ea expected next, 0x9b32 sent in two bytes.
    space_.next = 0xa82f30eb;
    ASSERT_EQ(
        open(build_packet({.number = 0xa82f9b32, .payload = Bytes(20)}), crypto::QuicSide::client),
        Parse::ok);
    EXPECT_EQ(opened_.packet_number, 0xa82f9b32u);
    // One byte around a wrap, forwards and back.
    space_.next = 0x1fe;
    ASSERT_EQ(open(build_packet({.number = 0x205, .number_bytes = 1, .payload = Bytes(20)}),
                   crypto::QuicSide::client),
              Parse::ok);
    EXPECT_EQ(opened_.packet_number, 0x205u);
    ASSERT_EQ(open(build_packet({.number = 0x1f0, .number_bytes = 1, .payload = Bytes(20)}),
                   crypto::QuicSide::client),
              Parse::ok);
    EXPECT_EQ(opened_.packet_number, 0x1f0u);
    EXPECT_EQ(space_.next, 0x206u);  // an older packet does not move it back
    space_.next = 0;
    ASSERT_EQ(open(build_packet({.number = 0xff, .number_bytes = 1, .payload = Bytes(20)}),
                   crypto::QuicSide::client),
              Parse::ok);
    EXPECT_EQ(opened_.packet_number, 0xffu);
}

TEST_F(InitialTest, SeesEveryDamagedBit) {
    const Bytes bytes =
        build_packet({.source_id = Bytes(3, 1), .token = text("tok"), .payload = Bytes(40, 1)});
    for (std::size_t i = 1; i < bytes.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes broken = bytes;
            broken[i] ^= static_cast<std::uint8_t>(1u << bit);
            ByteReader in(broken);
            Packet packet;
            if (read_packet(in, packet) != Parse::ok || packet.type != PacketType::initial)
                continue;
            scratch_.assign(packet.bytes.size(), 0);
            const auto side_keys = keys(kVersion1, crypto::QuicSide::client, unhex(kClientIdHex));
            EXPECT_EQ(open_initial(packet, side_keys, crypto(), space_, scratch_, opened_),
                      Parse::not_this)
                << "byte " << i << " bit " << bit;
            EXPECT_EQ(space_.next, 0u);
        }
    }
}

TEST_F(InitialTest, RefusesReservedBitsOnlyWhenTheTagIsRight) {
    for (std::uint8_t bits = 1; bits < 4; ++bits) {
        const Bytes bytes = build_packet({.reserved_bits = bits, .payload = Bytes(40, 1)});
        EXPECT_EQ(open(bytes, crypto::QuicSide::client), Parse::malformed);
        EXPECT_EQ(open(bytes, crypto::QuicSide::server), Parse::not_this);
    }
}

TEST_F(InitialTest, AsksForScratchOfThePacketsSize) {
    const Bytes bytes = build_packet({.payload = Bytes(40, 1)});
    ByteReader in(bytes);
    Packet packet;
    ASSERT_EQ(read_packet(in, packet), Parse::ok);
    Bytes scratch(bytes.size() - 1);
    const auto side_keys = keys(kVersion1, crypto::QuicSide::client, unhex(kClientIdHex));
    EXPECT_EQ(open_initial(packet, side_keys, crypto(), space_, scratch, opened_), Parse::limit);
}

TEST_F(InitialTest, ChecksTheRetriesOfTheRfcs) {
    Bytes scratch(100);
    for (const auto text : {kRetryV1Hex, kRetryV2Hex}) {
        const Bytes bytes = unhex(text);
        for (std::size_t i = 0; i <= bytes.size(); ++i) {
            Bytes tried = bytes;
            if (i > 15 && i < bytes.size()) tried[i] ^= 1;  // token and tag
            ByteReader in(tried);
            Packet packet;
            ASSERT_EQ(read_packet(in, packet), Parse::ok);
            EXPECT_EQ(check_retry(packet, unhex(kClientIdHex), crypto(), scratch) == Parse::ok,
                      tried == bytes);
            EXPECT_EQ(check_retry(packet, unhex(kServerIdHex), crypto(), scratch), Parse::not_this);
            EXPECT_EQ(
                check_retry(packet, unhex(kClientIdHex), crypto(), std::span(scratch).first(20)),
                Parse::limit);
        }
    }
}

}  // namespace
}  // namespace seine::quic
