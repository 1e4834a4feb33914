// Each preface in both directions, whole and byte by byte; refusals, bounds, random bytes.
#include "dataplane/preface/preface.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::preface;
using namespace std::literals;

const std::string kTls = "\x16\x03\x01\x00\x05rest."s;

struct Outcome {
    Parse parse = Parse::need_more;
    bool tunnel = false;
    std::size_t consumed = 0;  // when the tunnel began, or in all
    Kind kind = Kind::none;
};

// One direction, `piece` bytes at a time, until the tunnel begins or a parse fails.
Outcome run(Preface& machine, bool client, std::string_view text, std::size_t piece) {
    Outcome out;
    std::string held;
    ProxyHeader header;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        held += text.substr(at, piece);
        while (true) {
            const auto exact = std::make_unique<std::uint8_t[]>(held.size());
            std::copy(held.begin(), held.end(), exact.get());
            const ByteView bytes(exact.get(), held.size());
            const auto step =
                client ? machine.feed_client(bytes, header) : machine.feed_server(bytes);
            out.parse = step.parse;
            out.kind = machine.kind();
            EXPECT_LE(step.consume, held.size());
            out.consumed += step.consume;
            held.erase(0, step.consume);
            out.tunnel = step.tunnel;
            if (step.tunnel) return out;
            if (step.parse == Parse::need_more) break;
            if (step.parse != Parse::ok) return out;
        }
    }
    return out;
}

struct Case {
    Kind kind;
    std::string client;
    std::string server;
};

std::vector<Case> cases() {
    const std::string socks5_reply = "\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"s;
    const std::string ldap_request =
        "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"s + "1.3.6.1.4.1.1466.20037";
    const std::string ldap_response = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"s;
    const std::string mysql_greeting =
        "\x4a\x00\x00\x00\x0a"s + "8.0.28\0"s + std::string(0x4a - 8, 'g');
    const std::string mysql_request = "\x20\x00\x00\x01\x85\xae\xff\x20"s + std::string(28, '\0');
    return {
        {Kind::socks4, "\x04\x01\x01\xbb\x5d\xb8\xd8\x77\x00"s,
         "\x00\x5a\x99\xb4\x0a\xb4\x9c\xf9"s},
        {Kind::socks4, "\x04\x01\x01\xbb\x00\x00\x00\x01me\x00www.example.com\x00"s,
         "\x00\x5a\x00\x00\x00\x00\x00\x00"s},
        {Kind::socks5, "\x05\x02\x00\x01\x05\x01\x00\x01\x5d\xb8\xd8\x77\x01\xbb"s,
         "\x05\x00"s + socks5_reply},
        {Kind::socks5, "\x05\x01\x02\x01\x04user\x04pass\x05\x01\x00\x03\x05h.exa\x01\xbb"s,
         "\x05\x02\x01\x00"s + socks5_reply},
        {Kind::socks5, "\x05\x01\x00\x05\x01\x00\x04"s + std::string(16, 'a') + "\x01\xbb",
         "\x05\x00\x05\x00\x00\x04"s + std::string(18, 'b')},
        {Kind::smtp, "EHLO client.example\r\nSTARTTLS\r\n",
         "220 mx.example ESMTP\r\n250-mx.example\r\n250 STARTTLS\r\n220 go\r\n"},
        {Kind::imap, ". CAPABILITY\r\n. STARTTLS\r\n",
         "* OK ready\r\n* CAPABILITY x\r\n. OK go\r\n"},
        {Kind::pop3, "CAPA\r\nSTLS\r\n", "+OK hello\r\n+OK\r\n.\r\n+OK go\r\n"},
        {Kind::ftp, "AUTH TLS\r\n", "220 \"Authorized users only\"\r\n234 Proceed\r\n"},
        {Kind::postgres, "\x00\x00\x00\x08\x04\xd2\x16\x2f"s, "S"},
        {Kind::postgres, "\x00\x00\x00\x08\x04\xd2\x16\x30\x00\x00\x00\x08\x04\xd2\x16\x2f"s, "NS"},
        {Kind::mysql, mysql_request, mysql_greeting},
        {Kind::ldap, ldap_request, ldap_response},
        {Kind::rdp, "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"s,
         "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x01\x08\x00\x02\x00\x00\x00"s},
        {Kind::xmpp, "<?xml version='1.0'?><stream:stream to='x'><starttls xmlns='y'/>",
         "<stream:stream from='x'><stream:features><starttls/></stream:features><proceed/>"},
    };
}

TEST(Preface, FindsTheTunnelInBothDirections) {
    for (const Case& c : cases()) {
        Preface machine;
        const Outcome client = run(machine, true, c.client + kTls, 10000);
        EXPECT_TRUE(client.tunnel) << name_of(c.kind);
        EXPECT_EQ(client.consumed, c.client.size()) << name_of(c.kind);
        EXPECT_EQ(client.kind, c.kind) << name_of(client.kind);
        const Outcome server = run(machine, false, c.server + kTls, 10000);
        EXPECT_TRUE(server.tunnel) << name_of(c.kind);
        EXPECT_EQ(server.consumed, c.server.size()) << name_of(c.kind);
    }
}

TEST(Preface, GivesTheSameByteByByteAndServerFirst) {
    for (const Case& c : cases()) {
        Preface machine;
        const Outcome server = run(machine, false, c.server + kTls, 1);
        EXPECT_TRUE(server.tunnel) << name_of(c.kind);
        EXPECT_EQ(server.consumed, c.server.size()) << name_of(c.kind);
        const Outcome client = run(machine, true, c.client + kTls, 1);
        EXPECT_TRUE(client.tunnel) << name_of(c.kind);
        EXPECT_EQ(client.consumed, c.client.size()) << name_of(c.kind);
        EXPECT_EQ(client.kind, c.kind) << name_of(client.kind);
    }
}

TEST(Preface, NoTruncationOpensATunnel) {
    for (const Case& c : cases()) {
        for (std::size_t cut = 0; cut < c.client.size(); ++cut) {
            Preface machine;
            EXPECT_FALSE(
                run(machine, true, std::string_view(c.client).substr(0, cut), 10000).tunnel)
                << name_of(c.kind) << ' ' << cut;
        }
        for (std::size_t cut = 0; cut < c.server.size(); ++cut) {
            Preface machine;
            EXPECT_FALSE(
                run(machine, false, std::string_view(c.server).substr(0, cut), 10000).tunnel)
                << name_of(c.kind) << ' ' << cut;
        }
    }
}

TEST(Preface, EveryFlippedByteIsAnswered) {
    for (const Case& c : cases()) {
        for (const bool client : {true, false}) {
            const std::string& text = client ? c.client : c.server;
            for (std::size_t at = 0; at < text.size(); ++at) {
                std::string broken = text + kTls;
                broken[at] = static_cast<char>(broken[at] ^ 0xff);
                Preface machine;
                const Outcome out = run(machine, client, broken, 10000);
                EXPECT_LE(out.consumed, broken.size());
            }
        }
    }
}

TEST(Preface, ProxyHeaderGoesOneWay) {
    Preface machine;
    const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n";
    const Outcome client = run(machine, true, line + kTls, 1);
    EXPECT_TRUE(client.tunnel);
    EXPECT_EQ(client.consumed, line.size());
    EXPECT_EQ(client.kind, Kind::proxy);
    const Outcome server = run(machine, false, kTls, 1);
    EXPECT_TRUE(server.tunnel);
    EXPECT_EQ(server.consumed, 0u);
}

TEST(Preface, RefusedTunnelsAreNone) {
    const auto client = [](std::string_view text) {
        Preface machine;
        return run(machine, true, text, 10000).parse;
    };
    const auto server = [](std::string_view text) {
        Preface machine;
        return run(machine, false, text, 10000).parse;
    };
    EXPECT_EQ(server("\x05\xff"s), Parse::not_this);
    EXPECT_EQ(server("\x05\x02\x01\x01"s), Parse::not_this);
    EXPECT_EQ(server("\x05\x00\x05\x01\x00\x01"s), Parse::not_this);
    EXPECT_EQ(server("\x00\x5b"s), Parse::not_this);
    EXPECT_EQ(server("N\x01\x02\x03\x04"), Parse::not_this);
    EXPECT_EQ(client("\x05\x01\x00\x05\x03\x00\x01"s), Parse::not_this);  // UDP ASSOCIATE
    EXPECT_EQ(client("\x00\x00\x00\x08\x04\xd2\x16\x2f"s + "\x00\x00\x00\x20"s), Parse::not_this);
    EXPECT_EQ(client("\x20\x00\x00\x01\x85\xa6\xff\x20"s), Parse::not_this);  // no CLIENT_SSL
}

TEST(Preface, OtherProtocolsAreNotMistaken) {
    for (const std::string_view text :
         {"GET / HTTP/1.1\r\n"sv, "POST / HTTP/1.1\r\n"sv, "PRI * HTTP/2.0\r\n"sv,
          "SSH-2.0-a\r\n"sv, "\x16\x03\x01\x02"sv, "\x80\x2e\x01\x03"sv, "hello there\r\n"sv,
          "\x05\x00\x0b\x03\x10"sv}) {
        Preface machine;
        EXPECT_EQ(run(machine, true, text, 1).parse, Parse::not_this) << text;
        EXPECT_EQ(machine.kind(), Kind::none);
    }
    std::mt19937 random(11);
    int tunnels = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text(48, '\0');
        for (char& c : text) c = static_cast<char>(random());
        Preface machine;
        if (run(machine, true, text, 100).tunnel) ++tunnels;
        if (run(machine, false, text, 100).tunnel) ++tunnels;
    }
    EXPECT_EQ(tunnels, 0);
}

TEST(Preface, BoundsLines) {
    Preface machine;
    std::string talk = "EHLO a\r\n";
    for (std::uint32_t i = 0; i < Preface::kLinesMax; ++i) talk += "NOOP\r\n";
    EXPECT_EQ(run(machine, true, talk, 100000).parse, Parse::limit);
    Preface other;
    EXPECT_EQ(
        run(other, true, "EHLO a\r\n" + std::string(Preface::kLineBytesMax, 'x'), 100000).parse,
        Parse::limit);
    Preface binary;
    EXPECT_EQ(run(binary, true, "EHLO a\r\n\x01\x02\x03"s, 100000).parse, Parse::not_this);
}

TEST(Preface, NamesItsKinds) {
    EXPECT_EQ(name_of(Kind::none), "none");
    EXPECT_EQ(name_of(Kind::ftp), "ftp");
    EXPECT_EQ(name_of(Kind::postgres), "postgres");
    EXPECT_EQ(name_of(Kind::xmpp), "xmpp");
}

}  // namespace
