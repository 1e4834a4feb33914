// DTLS: records, fragments in any order, recognition, cuts and flips.
#include "dataplane/tls/dtls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataplane/tls/client_hello.h"
#include "tools/synth/hello_builder.h"

namespace seine::tls {
namespace {

using synth::Bytes;
using synth::operator+;

Bytes hello_body(std::uint16_t version = 0xfefd) {
    return synth::client_hello({.legacy_version = version,
                                .ciphers = {0xc02b, 0xc02f},
                                .extensions = {synth::server_name("dtls.example")},
                                .dtls = true});
}

DtlsFragment fragment_of(const Bytes& bytes) {
    ByteReader in(bytes);
    DtlsFragment out;
    EXPECT_EQ(read(in, out), Parse::ok);
    return out;
}

TEST(DtlsRecord, ShowsItsHeader) {
    const Bytes datagram = synth::dtls_record({.sequence = 0x0102030405}, synth::counting(9)) +
                           synth::dtls_record({.type = 23, .epoch = 1}, synth::counting(3));
    ByteReader in(datagram);
    DtlsRecord record;
    ASSERT_EQ(read(in, record), Parse::ok);
    EXPECT_EQ(record.type, 22);
    EXPECT_EQ(record.version, 0xfefd);
    EXPECT_EQ(record.sequence, 0x0102030405u);
    EXPECT_EQ(record.fragment.size(), 9u);
    EXPECT_FALSE(record.ciphered);
    ASSERT_EQ(read(in, record), Parse::ok);
    EXPECT_TRUE(record.ciphered);
    EXPECT_TRUE(in.empty());
}

TEST(DtlsRecord, ConnectionIdsAndUnifiedHeadersRunToTheEnd) {
    for (const std::uint8_t first : std::initializer_list<std::uint8_t>{25, 0x2f, 0x3c}) {
        const Bytes datagram = Bytes{first} + synth::counting(30);
        ByteReader in(datagram);
        DtlsRecord record;
        ASSERT_EQ(read(in, record), Parse::ok);
        EXPECT_TRUE(record.ciphered);
        EXPECT_TRUE(in.empty());
    }
}

TEST(DtlsRecord, AnswersCutsAndStrangers) {
    const Bytes datagram = synth::dtls_record({}, synth::counting(9));
    for (std::size_t count = 1; count < datagram.size(); ++count) {
        const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(count));
        ByteReader in(cut);
        DtlsRecord record;
        EXPECT_EQ(read(in, record), Parse::need_more) << count;
    }
    DtlsRecord record;
    const Bytes stun = synth::from_hex("0001000021 12a442") + synth::counting(12);
    ByteReader other(stun);
    EXPECT_EQ(read(other, record), Parse::not_this);
    const Bytes tls = synth::dtls_record({.version = 0x0303}, synth::counting(9));
    ByteReader tls_in(tls);
    EXPECT_EQ(read(tls_in, record), Parse::malformed);
}

TEST(DtlsFragment, RefusesWhatRunsPastTheMessage) {
    Bytes bytes = synth::dtls_fragment({.from = 4, .to = 8}, synth::counting(10));
    DtlsFragment good = fragment_of(bytes);
    EXPECT_EQ(good.offset, 4u);
    EXPECT_EQ(good.bytes.size(), 4u);
    EXPECT_FALSE(good.whole());
    bytes[8] = 7;  // offset 7 and four bytes are 11 of 10
    ByteReader in(bytes);
    EXPECT_EQ(read(in, good), Parse::malformed);
    for (std::size_t count = 1; count < bytes.size(); ++count) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        ByteReader cut_in(cut);
        EXPECT_EQ(read(cut_in, good), Parse::malformed);
    }
    const Bytes huge = synth::from_hex("01 010001 0000 000000 000001 aa");
    ByteReader huge_in(huge);
    EXPECT_EQ(read(huge_in, good), Parse::limit);
}

TEST(DtlsAssembler, HandsOutAWholeFragmentWhereItLies) {
    const Bytes body = hello_body();
    const Bytes bytes = synth::dtls_fragment({}, body);
    DtlsAssembler assembler;
    DtlsMessage message;
    ASSERT_EQ(assembler.add(fragment_of(bytes), {}, message), Parse::ok);
    EXPECT_EQ(message.body.data(), bytes.data() + 12);
    EXPECT_FALSE(message.joined);
    EXPECT_EQ(assembler.add(fragment_of(bytes), {}, message), Parse::not_this);
}

TEST(DtlsAssembler, JoinsFragmentsInAnyOrderWithOverlapsAndRepeats) {
    const Bytes body = synth::counting(200);
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<Bytes> pieces;
        for (std::size_t from = 0; from < body.size(); from += 20) {
            const std::size_t more = random() % 30;
            const std::size_t back = std::min<std::size_t>(from, random() % 10);
            pieces.push_back(synth::dtls_fragment({.from = from - back, .to = from + 20 + more}, body));
        }
        std::shuffle(pieces.begin(), pieces.end(), random);
        std::vector<std::uint8_t> buffer(body.size());
        DtlsAssembler assembler;
        DtlsMessage message;
        int whole = 0;
        for (const Bytes& piece : pieces) {
            const Parse parse = assembler.add(fragment_of(piece), buffer, message);
            if (parse == Parse::ok) {
                ++whole;
                EXPECT_TRUE(message.joined);
                EXPECT_EQ(Bytes(message.body.begin(), message.body.end()), body);
            } else {
                EXPECT_EQ(parse, whole > 0 ? Parse::not_this : Parse::need_more);
            }
        }
        EXPECT_EQ(whole, 1);
        EXPECT_FALSE(assembler.waiting());
    }
}

TEST(DtlsAssembler, FirstByteReceivedWins) {
    const Bytes ones(10, 1);
    const Bytes twos(10, 2);
    std::vector<std::uint8_t> buffer(10);
    DtlsAssembler assembler;
    DtlsMessage message;
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.from = 3, .to = 6}, ones)), buffer, message),
              Parse::need_more);
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.from = 0, .to = 9}, twos)), buffer, message),
              Parse::need_more);
    ASSERT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.from = 5}, ones)), buffer, message), Parse::ok);
    EXPECT_EQ(Bytes(message.body.begin(), message.body.end()), (Bytes{2, 2, 2, 1, 1, 1, 2, 2, 2, 1}));
}

TEST(DtlsAssembler, KeepsMessagesOfAFlightApart) {
    const Bytes hello = synth::counting(50);
    const Bytes certificates = synth::counting(90, 5);
    std::vector<std::uint8_t> buffer(140);
    DtlsAssembler assembler;
    DtlsMessage message;
    const auto add = [&](std::uint8_t type, std::uint16_t seq, std::size_t from, std::size_t to,
                         const Bytes& body) {
        const Bytes bytes =
            synth::dtls_fragment({.type = type, .message_seq = seq, .from = from, .to = to}, body);
        return assembler.add(fragment_of(bytes), buffer, message);
    };
    EXPECT_EQ(add(11, 2, 40, 90, certificates), Parse::need_more);
    EXPECT_EQ(add(2, 1, 20, 50, hello), Parse::need_more);
    EXPECT_EQ(add(11, 2, 0, 40, certificates), Parse::ok);
    EXPECT_EQ(message.type, 11);
    EXPECT_EQ(Bytes(message.body.begin(), message.body.end()), certificates);
    EXPECT_EQ(add(2, 1, 0, 20, hello), Parse::ok);
    EXPECT_EQ(message.message_seq, 1);
    EXPECT_EQ(Bytes(message.body.begin(), message.body.end()), hello);
}

TEST(DtlsAssembler, SaysHowLargeABufferMustBe) {
    const Bytes body = synth::counting(100);
    const auto wanted = [&](const DtlsAssembler& assembler, std::uint16_t seq, std::size_t from, std::size_t to) {
        const Bytes bytes = synth::dtls_fragment({.message_seq = seq, .from = from, .to = to}, body);
        return assembler.buffer_bytes(fragment_of(bytes));
    };
    DtlsAssembler assembler;
    DtlsMessage message;
    EXPECT_EQ(wanted(assembler, 0, 0, 100), 0u) << "whole: handed out where it lies";
    EXPECT_EQ(wanted(assembler, 0, 0, 10), 100u);
    std::vector<std::uint8_t> buffer(200);
    const Bytes first = synth::dtls_fragment({.to = 10}, body);
    EXPECT_EQ(assembler.add(fragment_of(first), buffer, message), Parse::need_more);
    EXPECT_EQ(wanted(assembler, 0, 10, 20), 100u);
    EXPECT_EQ(wanted(assembler, 1, 10, 20), 200u) << "behind the first";
    EXPECT_EQ(wanted(assembler, 64, 10, 20), 0u) << "refused";
    const Bytes rest = synth::dtls_fragment({.from = 10}, body);
    EXPECT_EQ(assembler.add(fragment_of(rest), buffer, message), Parse::ok);
    EXPECT_EQ(wanted(assembler, 0, 10, 20), 0u) << "a repeat";
    EXPECT_EQ(wanted(assembler, 1, 10, 20), 100u) << "the buffer is free again";
}

TEST(DtlsAssembler, RefusesContradictionsAndBounds) {
    const Bytes body = synth::counting(100);
    std::vector<std::uint8_t> buffer(100);
    DtlsAssembler assembler;
    DtlsMessage message;
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.to = 10}, body)), buffer, message),
              Parse::need_more);
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.type = 2, .to = 10}, body)), buffer, message),
              Parse::malformed);
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.to = 10}, synth::counting(99))), buffer, message),
              Parse::malformed);
    // The buffer is full of the first message.
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.message_seq = 1, .to = 1}, body)), buffer, message),
              Parse::limit);
    // Too many separate pieces.
    assembler.reset();
    for (std::size_t i = 0; i < DtlsAssembler::kRangesMax; ++i) {
        EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.from = 2 * i + 1, .to = 2 * i + 2}, body)),
                                buffer, message),
                  Parse::need_more);
    }
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({.from = 60, .to = 61}, body)), buffer, message),
              Parse::limit);
    // One that closes all gaps at once still fits.
    EXPECT_EQ(assembler.add(fragment_of(synth::dtls_fragment({}, body)), buffer, message), Parse::ok);
    EXPECT_EQ(Bytes(message.body.begin(), message.body.end()), body);
}

TEST(LooksLikeDtls, TakesHellosOfEveryVersion) {
    for (const std::uint16_t version : std::initializer_list<std::uint16_t>{0xfeff, 0xfefd, 0x0100}) {
        const Bytes datagram =
            synth::dtls_record({.version = version}, synth::dtls_fragment({}, hello_body(version)));
        EXPECT_EQ(looks_like_dtls(datagram), Parse::ok) << version;
        for (std::size_t count = 0; count < datagram.size(); ++count) {
            const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(count));
            EXPECT_EQ(looks_like_dtls(cut), Parse::need_more) << count;
        }
    }
    const Bytes later = synth::dtls_record({}, synth::dtls_fragment({.from = 30}, hello_body()));
    EXPECT_EQ(looks_like_dtls(later), Parse::ok);
    const Bytes verify = synth::dtls_record({.version = 0xfeff},
                                            synth::dtls_fragment({.type = 3}, synth::from_hex("feff 02 aabb")));
    EXPECT_EQ(looks_like_dtls(verify), Parse::ok);
}

TEST(LooksLikeDtls, TakesNothingElse) {
    const Bytes body = hello_body();
    for (const Bytes& datagram :
         {synth::dtls_record({.type = 23}, synth::counting(40)),
          synth::dtls_record({.epoch = 1}, synth::dtls_fragment({}, body)),
          synth::dtls_record({}, synth::dtls_fragment({.type = 11}, body)),
          synth::dtls_record({.version = 0x0303}, synth::dtls_fragment({}, body)),
          synth::dtls_record({}, synth::counting(40, 1)),
          synth::dtls_record({}, synth::dtls_fragment({}, hello_body(0x0303))),
          synth::from_hex("000100002112a442") + synth::counting(30),
          synth::from_hex("c000000001") + synth::counting(60)}) {
        EXPECT_EQ(looks_like_dtls(datagram), Parse::not_this);
    }
}

TEST(LooksLikeDtls, EveryFlippedByteIsAnswered) {
    const Bytes datagram = synth::dtls_record({}, synth::dtls_fragment({.to = 40}, hello_body()));
    for (std::size_t i = 0; i < datagram.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes flipped = datagram;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            const Parse answer = looks_like_dtls(flipped);
            EXPECT_TRUE(answer == Parse::ok || answer == Parse::not_this || answer == Parse::need_more);
        }
    }
}

TEST(DtlsHelloVerifyRequest, ShowsItsCookie) {
    HelloVerifyRequest request;
    const Bytes body = synth::from_hex("fefd 03 aabbcc");
    ASSERT_EQ(read_hello_verify_request(body, request), Parse::ok);
    EXPECT_EQ(request.cookie.size(), 3u);
    for (std::size_t count = 0; count < body.size(); ++count) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_EQ(read_hello_verify_request(cut, request), Parse::malformed);
    }
}

}  // namespace
}  // namespace seine::tls
