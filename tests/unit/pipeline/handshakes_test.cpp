// Hellos wherever they stand: in records, behind prefaces, over UDP, broken; and what a broken one leaves.
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {
namespace {

using contract::Field;
using contract::Kind;
using synth::Bytes;
using synth::operator+;

class Handshakes : public testing::Test {
  protected:
    void expect_hello(std::string_view preface = {}) {
        line.finish();
        EXPECT_EQ(line.all(Field::ja4), std::vector<std::string>{plain_ja4()});
        if (preface.empty()) return;
        EXPECT_EQ(line.all(Field::preface), std::vector<std::string>{std::string(preface)});
    }
    void udp(bool client, const Bytes& payload) {
        synth::UdpFields fields;
        fields.source_port = client ? std::uint16_t{40000} : std::uint16_t{4433};
        fields.target_port = client ? std::uint16_t{4433} : std::uint16_t{40000};
        synth::Ipv4Options ip;
        ip.source = client ? "192.0.2.1" : "198.51.100.2";
        ip.target = client ? "198.51.100.2" : "192.0.2.1";
        ip.id = ++ip_id;
        line.packet(synth::eth(synth::ipv4(ip, synth::udp(fields, payload))).bytes);
    }
    Line line;
    Talk talk{line};
    Bytes hello = client_hello_record();
    std::uint16_t ip_id = 0;
};

TEST_F(Handshakes, HelloInManyRecords) {
    talk.open();
    talk.client(synth::tls_records(22, hello_message(), 3));
    expect_hello();
}

TEST_F(Handshakes, HelloOfManySegments) {
    talk.open();
    const Bytes large = client_hello_record("api.example", 6000);
    for (std::size_t at = 0; at < large.size(); at += 1400)
        talk.client_piece(large, at, std::min(at + 1400, large.size()));
    line.finish();
    EXPECT_EQ(line.all(Field::ja4).size(), 1u);
}

// Eleven bytes tell a hello from anything else.
TEST_F(Handshakes, EveryCutHelloLeavesAReasonAndNoFingerprint) {
    for (std::size_t cut = 11; cut < hello.size(); ++cut) {
        Line& one = line.again();
        Talk short_talk{one};
        short_talk.client_port = static_cast<std::uint16_t>(10000 + cut);
        short_talk.open();
        short_talk.client(Bytes(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(cut)));
        one.finish();
        EXPECT_TRUE(one.all(Field::ja4).empty()) << cut;
        EXPECT_TRUE(one.says(Field::incomplete, "hello_cut")) << cut;
    }
}

TEST_F(Handshakes, AMalformedHelloLeavesAReasonAndNoFingerprint) {
    Bytes message = hello_message();
    message[4 + 2 + 32] = 0xff;  // a session id longer than the message
    talk.open();
    talk.client(synth::tls_record(22, message));
    line.finish();
    EXPECT_TRUE(line.all(Field::ja4).empty());
    EXPECT_TRUE(line.says(Field::incomplete, "hello_malformed"));
    EXPECT_EQ(line.count(Counter::tls_hello_malformed), 1u);
}

TEST_F(Handshakes, AnyFlippedByteIsSurvived) {
    for (std::size_t at = 0; at < hello.size(); ++at) {
        Line& one = line.again();
        Talk odd{one};
        odd.client_port = static_cast<std::uint16_t>(10000 + at);
        odd.open();
        Bytes bent = hello;
        bent[at] ^= 0xff;
        odd.client(bent);
        odd.server(server_hello_record());
        one.finish();
        EXPECT_EQ(one.flows(), 0u);
        EXPECT_LE(one.all(Field::ja4).size(), 1u);
    }
}

TEST_F(Handshakes, TheSecondHelloAfterARetryIsTold) {
    talk.open();
    talk.client(hello);
    talk.server(server_hello_record(true));
    talk.client(client_hello_record());
    talk.server(server_hello_record());
    expect_hello();
    EXPECT_EQ(line.all(Field::ja4_later).size(), 1u);
    EXPECT_EQ(line.count(Counter::tls_retries), 1u);
    EXPECT_TRUE(line.says(Field::rtt_causes, "hello_retry"));
}

TEST_F(Handshakes, BehindProxyProtocol1) {
    talk.open();
    talk.client(synth::bytes_of("PROXY TCP4 203.0.113.7 198.51.100.9 51000 443\r\n") + hello);
    expect_hello("proxy");
    EXPECT_EQ(line.last(Field::proxied_sport), 51000u);
    EXPECT_EQ(line.last(Field::proxied_dport), 443u);
}

TEST_F(Handshakes, BehindProxyProtocol2InOneByteSegments) {
    Bytes header = synth::from_hex("0d0a0d0a000d0a515549540a 21 11 000c cb007107 c6336409 c738 01bb");
    talk.open();
    const Bytes all = header + hello;
    for (std::size_t at = 0; at < all.size(); ++at) talk.client_piece(all, at, at + 1);
    expect_hello("proxy");
    EXPECT_EQ(line.last(Field::proxied_sport), 51000u);
}

TEST_F(Handshakes, BehindConnect) {
    talk.open();
    talk.client_says("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n");
    talk.server_says("HTTP/1.1 200 Connection established\r\n\r\n");
    talk.client(hello);
    line.finish();
    EXPECT_EQ(line.all(Field::ja4), std::vector<std::string>{plain_ja4()});
    EXPECT_EQ(line.of(Kind::request).size(), 1u);
}

TEST_F(Handshakes, BehindSocks5) {
    talk.open();
    talk.client(synth::from_hex("050100"));
    talk.server(synth::from_hex("0500"));
    talk.client(synth::from_hex("05010001 c6336409 01bb"));
    talk.server(synth::from_hex("05000001 00000000 0000"));
    talk.client(hello);
    expect_hello("socks5");
}

TEST_F(Handshakes, BehindStartTlsOfSmtp) {
    talk.server_port = 25;
    talk.open();
    talk.server_says("220 mail.example ESMTP\r\n");
    talk.client_says("EHLO client.example\r\n");
    talk.server_says("250-mail.example\r\n250 STARTTLS\r\n");
    talk.client_says("STARTTLS\r\n");
    talk.server_says("220 ready\r\n");
    talk.client(hello);
    talk.server(server_hello_record());
    expect_hello("smtp");
    EXPECT_EQ(line.count(Counter::tls_server_hellos), 1u);
}

TEST_F(Handshakes, DtlsInFragmentsOfAnyOrder) {
    synth::HelloOptions options;
    options.dtls = true;
    options.legacy_version = 0xfefd;
    options.extensions = {synth::server_name("dtls.example"), synth::u16_list(10, {0x001d})};
    const Bytes body = synth::client_hello(options);
    const std::size_t half = body.size() / 2;
    udp(true, synth::dtls_record({.sequence = 1}, synth::dtls_fragment({.type = 1, .message_seq = 0, .from = half}, body)));
    udp(true, synth::dtls_record({}, synth::dtls_fragment({.type = 1, .message_seq = 0, .from = 0, .to = half}, body)));
    line.finish();
    EXPECT_EQ(line.count(Counter::dtls_client_hellos), 1u);
    EXPECT_EQ(line.all(Field::sni), std::vector<std::string>{"dtls.example"});
}

// A first fragment holds what its message claims, not the most a message may have.
TEST_F(Handshakes, DtlsFragmentsHoldNoMoreThanTheyClaim) {
    InspectorConfig config = small_config();
    config.limits.stream_pool_bytes = 1;  // one slab of 512 KiB
    Line narrow(config);
    synth::HelloOptions options;
    options.dtls = true;
    options.legacy_version = 0xfefd;
    options.extensions = {synth::server_name("dtls.example"), synth::u16_list(10, {0x001d})};
    const Bytes body = synth::client_hello(options);
    const auto piece = [&](std::uint16_t port, std::size_t from, std::size_t to) {
        synth::UdpFields fields;
        fields.source_port = port;
        fields.target_port = 4433;
        synth::Ipv4Options ip;
        ip.id = ++ip_id;
        const Bytes record = synth::dtls_record(
            {.sequence = from == 0 ? 0u : 1u}, synth::dtls_fragment({.type = 1, .from = from, .to = to}, body));
        narrow.packet(synth::eth(synth::ipv4(ip, synth::udp(fields, record))).bytes);
    };
    constexpr std::uint16_t kFlows = 100;
    for (std::uint16_t i = 0; i < kFlows; ++i) piece(static_cast<std::uint16_t>(20000 + i), 0, 40);
    for (std::uint16_t i = 0; i < kFlows; ++i) piece(static_cast<std::uint16_t>(20000 + i), 40, body.size());
    narrow.finish();
    EXPECT_EQ(narrow.count(Counter::stream_pool_exhausted), 0u);
    EXPECT_EQ(narrow.count(Counter::dtls_client_hellos), kFlows);
}

TEST_F(Handshakes, DtlsMessagesTogetherGetALargerBuffer) {
    // The second message begins while the first waits and needs a larger slab: the first comes out whole.
    synth::HelloOptions options;
    options.dtls = true;
    options.legacy_version = 0xfefd;
    options.extensions = {synth::u16_list(10, {0x001d}), synth::bare(21, Bytes(1800, 0)),
                          synth::server_name("dtls.example")};
    const Bytes body = synth::client_hello(options);
    const auto piece = [&](std::uint16_t seq, std::size_t from, std::size_t to) {
        udp(true, synth::dtls_record({.sequence = ip_id},
                                     synth::dtls_fragment({.type = 1, .message_seq = seq, .from = from, .to = to}, body)));
    };
    piece(0, 900, body.size());
    piece(1, 0, 900);
    piece(0, 0, 900);
    EXPECT_EQ(line.count(Counter::dtls_client_hellos), 1u);
    piece(1, 900, body.size());
    line.finish();
    EXPECT_EQ(line.all(Field::sni), std::vector<std::string>{"dtls.example"});
    EXPECT_EQ(line.count(Counter::dtls_malformed), 0u);
    EXPECT_EQ(line.count(Counter::tls_hello_limit), 0u);
}

TEST_F(Handshakes, QuicThatNeverOpensIsGivenUpOnce) {
    // Long headers of version 1 whose Initials cannot authenticate.
    for (std::uint8_t i = 0; i < 40; ++i) {
        Bytes datagram = synth::from_hex("c3 00000001 08 0102030405060708 00 00 4496");
        datagram = datagram + synth::counting(0x496, i);
        udp(true, datagram);
    }
    line.finish();
    EXPECT_EQ(line.count(Counter::quic_gave_up), 1u);
    EXPECT_EQ(line.count(Counter::quic_client_hellos), 0u);
    EXPECT_TRUE(line.of(Kind::close).empty()) << "nothing was learned, nothing is told";
}

TEST_F(Handshakes, ThousandsOfEmptyFramesAreGivenUpWithAReason) {
    talk.open();
    Bytes flood = synth::bytes_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const Bytes empty_frame = {0, 0, 0, 4, 1, 0, 0, 0, 0};
    while (flood.size() < 250000) flood.insert(flood.end(), empty_frame.begin(), empty_frame.end());
    // Backwards, so that the parsers meet it as one stretch.
    for (std::size_t end = flood.size(); end > 0; end -= std::min<std::size_t>(end, 1400))
        talk.client_piece(flood, end - std::min<std::size_t>(end, 1400), end);
    line.finish();
    EXPECT_TRUE(line.says(Field::incomplete, "stream_limit") || line.says(Field::incomplete, "http_malformed"));
}

}  // namespace
}  // namespace seine::pipeline
