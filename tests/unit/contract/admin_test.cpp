// Admin messages: round trips, every cut, every flip, and what is refused.
#include "dataplane/contract/admin.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace seine::contract {
namespace {

std::vector<std::uint8_t> encoded(const AdminMessage& message) {
    std::vector<std::uint8_t> out(kAdminMessageBytesMax);
    out.resize(encode_admin(out, message));
    return out;
}

TEST(AdminMessage, ComesBackAsItWas) {
    const auto packet = encoded({AdminKind::document, true, 77, as_bytes("{\"a\":1}")});
    AdminMessage message;
    ASSERT_EQ(decode_admin(packet, message), Parse::ok);
    EXPECT_EQ(message.kind, AdminKind::document);
    EXPECT_TRUE(message.more);
    EXPECT_EQ(message.sequence, 77u);
    EXPECT_EQ(as_text(message.body), "{\"a\":1}");
    for (const AdminKind kind : {AdminKind::stats, AdminKind::stop, AdminKind::done}) {
        ASSERT_EQ(decode_admin(encoded({kind, false, 1, {}}), message), Parse::ok);
        EXPECT_EQ(message.kind, kind);
        EXPECT_FALSE(message.more);
    }
}

TEST(AdminMessage, ALongBodyGoesInPartsAndAnEmptyOneInOne) {
    AdminMessage message;
    const auto none = admin_packets(AdminKind::done, 5, "");
    ASSERT_EQ(none.size(), 1u);
    ASSERT_EQ(decode_admin(none[0], message), Parse::ok);
    EXPECT_FALSE(message.more);
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
        const std::string body = std::string(kAdminBodyBytesMax, 'a') + std::string(more, 'b');
        const auto packets = admin_packets(AdminKind::document, 6, body);
        ASSERT_EQ(packets.size(), 1 + more);
        std::string got;
        for (const auto& packet : packets) {
            ASSERT_EQ(decode_admin(packet, message), Parse::ok);
            EXPECT_EQ(message.more, &packet != &packets.back());
            EXPECT_EQ(message.sequence, 6u);
            got += as_text(message.body);
        }
        EXPECT_EQ(got, body);
    }
}

TEST(AdminMessage, EveryCutNeedsMore) {
    const auto packet = encoded({AdminKind::refused, false, 3, as_bytes("no signatures here")});
    for (std::size_t length = 0; length < packet.size(); ++length) {
        const std::vector<std::uint8_t> cut(packet.begin(),
                                            packet.begin() + static_cast<std::ptrdiff_t>(length));
        AdminMessage message;
        EXPECT_EQ(decode_admin(cut, message), Parse::need_more) << length;
    }
}

TEST(AdminMessage, EveryFlippedHeaderByteIsAnsweredWithAStatus) {
    const auto packet = encoded({AdminKind::stats, false, 3, {}});
    std::size_t refused = 0;
    for (std::size_t at = 0; at < packet.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto changed = packet;
            changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1u << bit));
            AdminMessage message;
            if (decode_admin(changed, message) != Parse::ok) ++refused;
        }
    }
    // Of 16 bytes, a flip of magic, version, flags but the first, and length is always told.
    EXPECT_GE(refused, (4u + 2u + 4u) * 8u + 7u);
}

TEST(AdminMessage, RefusesForeignOversizedAndContradictoryPackets) {
    AdminMessage message;
    auto packet = encoded({AdminKind::stats, false, 3, {}});
    packet.push_back(0);
    EXPECT_EQ(decode_admin(packet, message), Parse::malformed) << "bytes past its length";
    packet = encoded({AdminKind::stats, false, 3, {}});
    packet[8] = 17;
    packet.push_back(0);
    EXPECT_EQ(decode_admin(packet, message), Parse::malformed) << "a body where the kind has none";
    packet = encoded({AdminKind::stats, false, 3, {}});
    packet[4] = 2;
    EXPECT_EQ(decode_admin(packet, message), Parse::limit) << "another version";
    packet = encoded({AdminKind::stats, false, 3, {}});
    packet[10] = 2;
    EXPECT_EQ(decode_admin(packet, message), Parse::limit) << "a length of 128 KiB";
    packet[0] = 'X';
    EXPECT_EQ(decode_admin(packet, message), Parse::not_this);
    packet = encoded({static_cast<AdminKind>(200), false, 3, as_bytes("x")});
    EXPECT_EQ(decode_admin(packet, message), Parse::ok) << "kinds are the server's to refuse";
}

TEST(AdminMessage, IsNotWrittenWhereItDoesNotFit) {
    std::vector<std::uint8_t> small(20);
    EXPECT_EQ(encode_admin(small, {AdminKind::refused, false, 1, as_bytes("12345")}), 0u);
    EXPECT_EQ(encode_admin(small, {AdminKind::refused, false, 1, as_bytes("1234")}), 20u);
    std::vector<std::uint8_t> large(kAdminMessageBytesMax * 2);
    const std::string body(kAdminBodyBytesMax + 1, 'x');
    EXPECT_EQ(encode_admin(large, {AdminKind::document, false, 1, as_bytes(body)}), 0u);
}

TEST(Reload, ComesBackAndRefusesWhatIsNoPath) {
    std::vector<std::uint8_t> body(64);
    body.resize(encode_reload(body, {12, "/var/lib/seine/rules.7", 600}));
    ReloadRequest request;
    ASSERT_EQ(decode_reload(body, request), Parse::ok);
    EXPECT_EQ(request.generation, 12u);
    EXPECT_EQ(request.confirm_seconds, 600u);
    EXPECT_EQ(request.path, "/var/lib/seine/rules.7");
    for (std::size_t length = 0; length < 12; ++length) {
        EXPECT_EQ(decode_reload(ByteView(body).first(length), request), Parse::need_more);
    }
    EXPECT_EQ(decode_reload(ByteView(body).first(12), request), Parse::malformed);
    body[14] = 0;
    EXPECT_EQ(decode_reload(body, request), Parse::malformed);
    const std::vector<std::uint8_t> huge(12 + kAdminPathBytesMax + 1, 'p');
    EXPECT_EQ(decode_reload(huge, request), Parse::limit);
    std::vector<std::uint8_t> out(20);
    EXPECT_EQ(encode_reload(out, {1, ""}), 0u);
    EXPECT_EQ(encode_reload(out, {1, "123456789"}), 0u);
}

}  // namespace
}  // namespace seine::contract
