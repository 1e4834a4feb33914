// SSH banners, clear packets, KEXINIT (RFC 4253 sections 4.2, 6, 7.1) and the segments JA4SSH
// counts.
#include "dataplane/ssh/ssh.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/ssh/segments.h"

namespace {

using namespace seine;
using namespace seine::ssh;

std::string be32(std::size_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
}
std::string names(std::string_view list) { return be32(list.size()) + std::string(list); }

// A packet of RFC 4253 section 6 around `payload`.
std::string packet(std::string_view payload, std::size_t padding = 4) {
    return be32(1 + payload.size() + padding) + static_cast<char>(padding) + std::string(payload) +
           std::string(padding, '\0');
}
std::string kexinit_payload() {
    std::string out(1, 20);
    out += "0123456789abcdef";
    for (const char* list :
         {"curve25519-sha256,kex-strict-c", "ssh-ed25519", "aes128-ctr", "aes256-ctr",
          "hmac-sha2-256", "hmac-sha1", "none", "none,zlib", "", "de"})
        out += names(list);
    return out + std::string(5, '\0');
}
template <typename Visit>
void on_exact_copy(std::string_view text, Visit&& visit) {
    const auto exact = std::make_unique<std::uint8_t[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    visit(ByteView(exact.get(), text.size()));
}

TEST(SshBanner, SplitsProtocolSoftwareAndComment) {
    Banner out;
    ASSERT_EQ(parse_banner(as_bytes("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nrest"), out), Parse::ok);
    EXPECT_EQ(out.text, "SSH-2.0-OpenSSH_9.2p1 Debian-2");
    EXPECT_EQ(out.protocol, "2.0");
    EXPECT_EQ(out.software, "OpenSSH_9.2p1");
    EXPECT_EQ(out.consumed, 32u);
    EXPECT_TRUE(out.has_kexinit);
    ASSERT_EQ(parse_banner(as_bytes("SSH-1.99-x\n"), out), Parse::ok);
    EXPECT_TRUE(out.has_kexinit);
    ASSERT_EQ(parse_banner(as_bytes("SSH-1.5-old\n"), out), Parse::ok);
    EXPECT_FALSE(out.has_kexinit);
}

TEST(SshBanner, PassesOverLinesBeforeIt) {
    Banner out;
    ASSERT_EQ(parse_banner(as_bytes("Welcome\r\nto the machine\r\nSSH-2.0-a\r\n"), out), Parse::ok);
    EXPECT_EQ(out.text, "SSH-2.0-a");
    std::string many;
    for (std::size_t i = 0; i <= kLinesBeforeMax; ++i) many += "hello\r\n";
    EXPECT_EQ(parse_banner(as_bytes(many + "SSH-2.0-a\r\n"), out), Parse::not_this);
    EXPECT_EQ(parse_banner(as_bytes("\x01\x02\n"), out), Parse::not_this);
    EXPECT_EQ(parse_banner(as_bytes(std::string(kBannerBytesMax, 'x')), out), Parse::limit);
    EXPECT_EQ(parse_banner(as_bytes("SSH-2.0\r\n"), out), Parse::malformed);
    EXPECT_EQ(parse_banner(as_bytes(std::string_view("SSH-2.0-a\0b\r\n", 13)), out),
              Parse::malformed);
}

TEST(SshBanner, EveryTruncationNeedsMore) {
    constexpr std::string_view kLine = "hi\nSSH-2.0-OpenSSH_9.2p1 x\r\n";
    for (std::size_t cut = 0; cut < kLine.size(); ++cut) {
        on_exact_copy(kLine.substr(0, cut), [&](ByteView bytes) {
            Banner out;
            EXPECT_EQ(parse_banner(bytes, out), Parse::need_more) << cut;
        });
    }
    EXPECT_EQ(looks_like_ssh(as_bytes("SS")), Parse::need_more);
    EXPECT_EQ(looks_like_ssh(as_bytes("SSH-")), Parse::ok);
    EXPECT_EQ(looks_like_ssh(as_bytes("SSL")), Parse::not_this);
}

TEST(SshKexInit, ReadsTheTenLists) {
    const std::string wire = packet(kexinit_payload());
    Packet frame;
    ASSERT_EQ(parse_packet(as_bytes(wire), frame), Parse::ok);
    EXPECT_EQ(frame.consumed, wire.size());
    KexInit out;
    ASSERT_EQ(parse_kexinit(frame.payload, out), Parse::ok);
    EXPECT_EQ(out.kex, "curve25519-sha256,kex-strict-c");
    EXPECT_EQ(out.host_key, "ssh-ed25519");
    EXPECT_EQ(out.encryption_c2s, "aes128-ctr");
    EXPECT_EQ(out.encryption_s2c, "aes256-ctr");
    EXPECT_EQ(out.mac_c2s, "hmac-sha2-256");
    EXPECT_EQ(out.mac_s2c, "hmac-sha1");
    EXPECT_EQ(out.compression_c2s, "none");
    EXPECT_EQ(out.compression_s2c, "none,zlib");
    EXPECT_EQ(out.languages_s2c, "de");
    EXPECT_FALSE(out.first_kex_follows);
}

TEST(SshKexInit, EveryTruncationAndFlippedByteIsAnswered) {
    const std::string wire = packet(kexinit_payload());
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        on_exact_copy(std::string_view(wire).substr(0, cut), [&](ByteView bytes) {
            Packet frame;
            EXPECT_EQ(parse_packet(bytes, frame), Parse::need_more) << cut;
        });
    }
    const std::string payload = kexinit_payload();
    for (std::size_t cut = 0; cut < payload.size() - 4; ++cut) {
        on_exact_copy(std::string_view(payload).substr(0, cut), [&](ByteView bytes) {
            KexInit out;
            EXPECT_NE(parse_kexinit(bytes, out), Parse::ok) << cut;
        });
    }
    for (std::size_t at = 0; at < wire.size(); ++at) {
        std::string broken = wire;
        broken[at] = static_cast<char>(broken[at] ^ 0xff);
        on_exact_copy(broken, [&](ByteView bytes) {
            Packet frame;
            KexInit out;
            if (parse_packet(bytes, frame) == Parse::ok) {
                EXPECT_LE(frame.payload.size(), bytes.size());
                static_cast<void>(parse_kexinit(frame.payload, out));
            }
        });
    }
}

TEST(SshPacket, BoundsLengthAndPadding) {
    Packet out;
    EXPECT_EQ(parse_packet(as_bytes(be32(kPacketBytesMax + 1)), out), Parse::limit);
    EXPECT_EQ(parse_packet(as_bytes(be32(5) + "12345"), out), Parse::malformed);
    EXPECT_EQ(parse_packet(as_bytes(packet("x", 3)), out), Parse::malformed);
    EXPECT_EQ(parse_packet(as_bytes(be32(6) + "\x06" + "12345"), out), Parse::malformed);
}

struct Reading {
    std::vector<int> events;
    Parse last = Parse::need_more;
    bool done = false;
};
Reading feed(std::string_view text, std::size_t piece) {
    Reading run;
    Direction direction;
    std::string held;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        held += text.substr(at, piece);
        while (true) {
            Banner banner;
            KexInit kexinit;
            const auto step = direction.feed(as_bytes(held), banner, kexinit);
            run.last = step.parse;
            held.erase(0, step.consume);
            if (step.event != Direction::Event::none)
                run.events.push_back(static_cast<int>(step.event));
            if (step.parse != Parse::ok || direction.done()) break;
        }
        if (direction.done()) break;
    }
    run.done = direction.done();
    return run;
}

TEST(SshDirection, GoesFromBannerToKexInitInAnyPieces) {
    const std::string wire = "SSH-2.0-a\r\n" + packet(std::string("\x02ignored", 8)) +
                             packet(kexinit_payload()) + "ciphertext";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, wire.size()}) {
        const Reading run = feed(wire, piece);
        EXPECT_EQ(run.events, (std::vector<int>{1, 2})) << piece;
        EXPECT_TRUE(run.done);
    }
}

TEST(SshDirection, EndsQuietlyInSsh1AndSaysWhenBroken) {
    const Reading old = feed("SSH-1.99-a\n" + be32(2) + "xx", 1000);
    EXPECT_EQ(old.last, Parse::ok);
    EXPECT_TRUE(old.done);
    const Reading broken = feed("SSH-2.0-a\n" + packet("\x32not a kexinit"), 1000);
    EXPECT_EQ(broken.last, Parse::malformed);
    std::string chatty = "SSH-2.0-a\n";
    for (int i = 0; i < 9; ++i) chatty += packet("\x02");
    EXPECT_EQ(feed(chatty, 10000).last, Parse::limit);
}

struct Wire {
    Segments segments;
    std::uint32_t next[2] = {100, 0xfffffff0};  // the server's wraps
    bool send(bool client, std::string_view text) {
        std::uint32_t& at = next[client ? 0 : 1];
        const bool counts =
            segments.counts(client, at, as_bytes(text), static_cast<std::uint32_t>(text.size()));
        at += static_cast<std::uint32_t>(text.size());
        return counts;
    }
};

TEST(SshSegments, CountsThoseInWhichAMessageEnds) {
    Wire wire;
    EXPECT_TRUE(wire.send(true, "SSH-2.0-a\r\n"));
    EXPECT_TRUE(wire.send(false, "SSH-2.0-b\r\n"));
    const std::string kex = packet(kexinit_payload());
    EXPECT_FALSE(wire.send(true, kex.substr(0, 3)));
    EXPECT_FALSE(wire.send(true, kex.substr(3, 50)));
    EXPECT_TRUE(wire.send(true, kex.substr(53)));
    EXPECT_TRUE(wire.send(true, packet("\x15") + "cipher"));
    EXPECT_TRUE(wire.send(true, "c"));  // behind NEWKEYS nothing is framed
}

TEST(SshSegments, SecondCopiesDoNotCount) {
    Wire wire;
    const std::string banner = "SSH-2.0-a\r\n";
    EXPECT_TRUE(wire.send(false, banner));
    wire.next[1] -= static_cast<std::uint32_t>(banner.size());
    EXPECT_FALSE(wire.send(false, banner));
    wire.next[1] -= 4;  // overlaps by four bytes: only what is new is read
    EXPECT_TRUE(wire.send(false, std::string("-a\r\n") + packet("\x15")));
}

TEST(SshSegments, FramesOnlyWhereTheVersionIsKnown) {
    Wire alone;
    EXPECT_TRUE(alone.send(false, "SSH-1.99-b\n"));
    EXPECT_TRUE(alone.send(false, be32(500) + "front"));
    Wire both;
    EXPECT_TRUE(both.send(false, "SSH-1.99-b\n"));
    EXPECT_TRUE(both.send(true, "SSH-2.0-a\n"));
    EXPECT_FALSE(both.send(false, be32(500) + "front"));
}

TEST(SshSegments, CountsOnWhenBoundariesAreLost) {
    Wire wire;
    EXPECT_TRUE(wire.send(true, "SSH-2.0-a\r\n"));
    wire.next[0] += 1000;  // a hole
    EXPECT_TRUE(wire.send(true, "xyz"));
    EXPECT_TRUE(wire.send(true, "x"));
    Wire cut;
    EXPECT_TRUE(cut.send(true, "SSH-2.0-a\r\n"));
    EXPECT_TRUE(cut.segments.counts(true, cut.next[0], as_bytes("ab"), 1400));
    Wire ssh1;
    EXPECT_TRUE(ssh1.send(true, "SSH-1.5-a\n"));
    EXPECT_TRUE(ssh1.send(true, "x"));
}

}  // namespace
