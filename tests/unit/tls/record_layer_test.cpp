// Records split and joined at any byte, and recognition that takes no other protocol.
#include "dataplane/tls/record_layer.h"

#include <gtest/gtest.h>

#include <string>

#include "tools/synth/hello_builder.h"

namespace seine::tls {
namespace {

using synth::Bytes;
using synth::operator+;

Bytes hello_message() {
    return synth::handshake(1, synth::client_hello({.ciphers = {0x1301, 0xc02f},
                                                    .extensions = {synth::server_name("a.example")}}));
}

struct Seen {
    std::vector<RecordEvent::Kind> kinds;
    std::vector<int> types;
    std::vector<Bytes> bodies;
    std::vector<bool> joined;
    Parse last = Parse::ok;
};

// Feeds `stream` in pieces of `step` bytes, keeping what was not used, each time from fresh memory of
// exact size so that a read past the end or a view kept too long is found.
Seen walk(const Bytes& stream, std::size_t step) {
    Seen seen;
    RecordReader reader;
    std::vector<std::uint8_t> scratch(kHandshakeBytesMax);
    Bytes held;
    for (std::size_t at = 0; at < stream.size() && seen.last != Parse::malformed;) {
        const std::size_t end = std::min(stream.size(), at + step);
        held.insert(held.end(), stream.begin() + static_cast<std::ptrdiff_t>(at),
                    stream.begin() + static_cast<std::ptrdiff_t>(end));
        at = end;
        while (true) {
            RecordEvent event;
            std::size_t used = 0;
            const Bytes exact(held);
            seen.last = reader.next(exact, scratch, used, event);
            EXPECT_LE(used, held.size());
            if (seen.last == Parse::ok) {
                seen.kinds.push_back(event.kind);
                seen.types.push_back(event.type);
                seen.bodies.emplace_back(event.body.begin(), event.body.end());
                seen.joined.push_back(event.joined);
            }
            held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(used));
            if (seen.last != Parse::ok) break;
        }
        if (seen.last != Parse::need_more) break;
    }
    return seen;
}

Bytes body_of(const Bytes& message) { return {message.begin() + 4, message.end()}; }

TEST(RecordReader, HandsOutAMessageOfOneRecordWhereItLies) {
    const Bytes stream = synth::tls_record(22, hello_message());
    RecordReader reader;
    RecordEvent event;
    std::size_t used = 0;
    ASSERT_EQ(reader.next(stream, {}, used, event), Parse::ok);
    EXPECT_EQ(event.kind, RecordEvent::Kind::handshake);
    EXPECT_EQ(event.type, handshake::kClientHello);
    EXPECT_EQ(event.body.data(), stream.data() + 9);
    EXPECT_EQ(event.body.size(), stream.size() - 9);
    EXPECT_EQ(event.record_version, 0x0301);
    EXPECT_FALSE(event.joined);
    EXPECT_EQ(used, stream.size());
}

TEST(RecordReader, JoinsAMessageHoweverItsRecordsAndSegmentsAreCut) {
    const Bytes message = hello_message();
    for (const std::size_t fragment : {1u, 2u, 3u, 4u, 5u, 7u, 50u, 1000u}) {
        for (const std::size_t step : {1u, 2u, 5u, 6u, 64u, 100000u}) {
            const Seen seen = walk(synth::tls_records(22, message, fragment), step);
            ASSERT_EQ(seen.bodies.size(), 1u) << fragment << " " << step;
            EXPECT_EQ(seen.types[0], 1);
            EXPECT_EQ(seen.bodies[0], body_of(message));
            EXPECT_EQ(seen.joined[0], fragment < message.size());
            EXPECT_EQ(seen.last, Parse::need_more);
        }
    }
}

TEST(RecordReader, HandsOutSeveralMessagesOfOneRecord) {
    const Bytes certificates = synth::certificate_list({synth::certificate({})});
    const Bytes flight = synth::handshake(2, synth::server_hello({})) +
                         synth::handshake(11, certificates) + synth::handshake(14, {});
    for (const std::size_t fragment : {3u, 60u, 4000u}) {
        const Seen seen = walk(synth::tls_records(22, flight, fragment, 0x0303), 9);
        EXPECT_EQ(seen.types, (std::vector<int>{2, 11, 14})) << fragment;
        EXPECT_EQ(seen.bodies.at(1), certificates);
        EXPECT_EQ(seen.last, Parse::need_more);
    }
}

TEST(RecordReader, TellsAlertsCipherChangesAndApplicationData) {
    const Bytes stream = synth::tls_record(21, {2, 40}) + synth::tls_record(20, {1}) +
                         synth::tls_record(22, synth::counting(40, 0xa0)) +
                         synth::tls_record(21, {2, 40}) +
                         synth::tls_record(23, synth::counting(500)) + synth::tls_record(23, {});
    for (const std::size_t step : {1u, 3u, 1000u}) {
        const Seen seen = walk(stream, step);
        using Kind = RecordEvent::Kind;
        EXPECT_EQ(seen.kinds, (std::vector<Kind>{Kind::alert, Kind::change_cipher_spec, Kind::opaque,
                                                 Kind::opaque, Kind::application_data,
                                                 Kind::application_data}))
            << step;
    }
}

TEST(RecordReader, GivesLevelAndDescriptionOfAnAlertInClear) {
    RecordReader reader;
    RecordEvent event;
    std::size_t used = 0;
    ASSERT_EQ(reader.next(synth::tls_record(21, {2, 70}), {}, used, event), Parse::ok);
    EXPECT_EQ(event.alert_level, 2);
    EXPECT_EQ(event.alert_description, 70);
}

TEST(RecordReader, ApplicationDataIsUsedUpWithoutBeingKept) {
    const Bytes stream = synth::tls_record(23, synth::counting(16000));
    RecordReader reader;
    RecordEvent event;
    std::size_t used = 0;
    ASSERT_EQ(reader.next(ByteView(stream).first(100), {}, used, event), Parse::ok);
    EXPECT_EQ(event.record_bytes, 16000);
    EXPECT_EQ(used, 100u);
    EXPECT_EQ(reader.next(ByteView(stream).subspan(100, 900), {}, used, event), Parse::need_more);
    EXPECT_EQ(used, 900u);
}

TEST(RecordReader, SecondHelloBehindAnEmptyCipherChangeIsSeen) {
    const Bytes stream = synth::tls_record(22, hello_message()) + synth::tls_record(20, {1}) +
                         synth::tls_record(22, hello_message()) +
                         synth::tls_record(23, synth::counting(60));
    const Seen seen = walk(stream, 11);
    using Kind = RecordEvent::Kind;
    EXPECT_EQ(seen.kinds, (std::vector<Kind>{Kind::handshake, Kind::change_cipher_spec, Kind::handshake,
                                             Kind::application_data}));
    EXPECT_EQ(seen.bodies[2], body_of(hello_message()));
}

TEST(RecordReader, EmptyRecordsMayLieBetween) {
    const Bytes message = hello_message();
    const Bytes first(message.begin(), message.begin() + 10);
    const Bytes second(message.begin() + 10, message.end());
    const Bytes none = synth::tls_record(22, {});
    const Seen seen =
        walk(none + synth::tls_record(22, first) + none + synth::tls_record(22, second), 4);
    ASSERT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(seen.bodies[0], body_of(message));
}

TEST(RecordReader, MessageTornByAnotherContentTypeIsMalformedForGood) {
    const Bytes message = hello_message();
    const Bytes half(message.begin(), message.begin() + 20);
    const Bytes stream = synth::tls_record(22, half) + synth::tls_record(21, {2, 40});
    RecordReader reader;
    RecordEvent event;
    std::size_t used = 0;
    std::vector<std::uint8_t> scratch(kHandshakeBytesMax);
    EXPECT_EQ(reader.next(stream, scratch, used, event), Parse::malformed);
    EXPECT_EQ(reader.next(synth::tls_record(22, message), scratch, used, event), Parse::malformed);
}

TEST(RecordReader, RefusesWhatIsNoRecord) {
    for (const Bytes& stream :
         {Bytes{'G', 'E', 'T', ' ', '/'}, Bytes{22, 2, 0, 0, 4}, Bytes{22, 3, 1, 0xff, 0xff},
          Bytes{19, 3, 1, 0, 1}, synth::tls_record(20, {1, 1}), synth::tls_record(21, {9, 1})}) {
        RecordReader reader;
        RecordEvent event;
        std::size_t used = 0;
        EXPECT_EQ(reader.next(stream, {}, used, event), Parse::malformed);
    }
}

TEST(RecordReader, MessageOf64KiBPassesAndOneByteMoreIsTheLimit) {
    const Bytes whole = synth::handshake(11, synth::counting(kHandshakeBytesMax));
    const Seen seen = walk(synth::tls_records(22, whole, 16384), 30000);
    ASSERT_EQ(seen.bodies.size(), 1u);
    EXPECT_EQ(seen.bodies[0].size(), kHandshakeBytesMax);
    const Bytes more = synth::handshake(11, synth::counting(kHandshakeBytesMax + 1));
    EXPECT_EQ(walk(synth::tls_records(22, more, 16384), 30000).last, Parse::limit);
    EXPECT_EQ(walk(synth::tls_records(22, more, 2), 30000).last, Parse::limit);
}

TEST(RecordReader, StreamPerMessageIsBounded) {
    Bytes stream = synth::tls_record(22, {1, 0, 0x10, 0});
    while (stream.size() <= RecordReader::kStreamPerMessageMax + 16) {
        const Bytes none = synth::tls_record(22, {});
        stream.insert(stream.end(), none.begin(), none.end());
    }
    EXPECT_EQ(walk(stream, 60000).last, Parse::limit);
}

TEST(RecordReader, ScratchTooSmallIsALimitAndNotAnOverrun) {
    const Bytes stream = synth::tls_records(22, hello_message(), 20);
    std::vector<std::uint8_t> scratch(10);
    RecordReader reader;
    RecordEvent event;
    std::size_t used = 0;
    EXPECT_EQ(reader.next(stream, scratch, used, event), Parse::limit);
}

TEST(RecordReader, EveryFlippedByteIsAnswered) {
    const Bytes stream = synth::tls_records(22, hello_message(), 40) + synth::tls_record(20, {1}) +
                         synth::tls_record(23, synth::counting(20));
    for (std::size_t i = 0; i < stream.size(); ++i) {
        for (const int bit : {0, 3, 7}) {
            Bytes flipped = stream;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            const Seen whole = walk(flipped, flipped.size());
            const Seen bytewise = walk(flipped, 1);
            EXPECT_EQ(whole.bodies, bytewise.bodies) << i;
            EXPECT_EQ(whole.last, bytewise.last) << i;
        }
    }
}

Parse recognise(const Bytes& bytes, Opening& out) {
    const Bytes exact(bytes);
    return looks_like_tls(exact, out);
}

TEST(LooksLikeTls, DecidesFromElevenBytesAndAsksForMoreBefore) {
    const Bytes stream = synth::tls_record(22, hello_message());
    Opening out{};
    for (std::size_t count = 0; count < 11; ++count) {
        EXPECT_EQ(recognise({stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(count)}, out),
                  Parse::need_more)
            << count;
    }
    EXPECT_EQ(recognise({stream.begin(), stream.begin() + 11}, out), Parse::ok);
    EXPECT_EQ(out, Opening::client_hello);
}

TEST(LooksLikeTls, SeesHellosInShortRecords) {
    Opening out{};
    for (const std::size_t fragment : {1u, 2u, 3u, 5u}) {
        EXPECT_EQ(recognise(synth::tls_records(22, hello_message(), fragment), out), Parse::ok);
        EXPECT_EQ(out, Opening::client_hello);
    }
    const Bytes server = synth::handshake(2, synth::server_hello({}));
    EXPECT_EQ(recognise(synth::tls_record(22, server, 0x0303), out), Parse::ok);
    EXPECT_EQ(out, Opening::server_hello);
}

TEST(LooksLikeTls, SeesAnAlertOfAServer) {
    Opening out{};
    EXPECT_EQ(recognise(synth::tls_record(21, {2, 40}), out), Parse::ok);
    EXPECT_EQ(out, Opening::alert);
    EXPECT_EQ(recognise(synth::tls_record(21, {2, 200}), out), Parse::not_this);
}

TEST(LooksLikeTls, NamesAnSsl2HelloAndTakesItNot) {
    // RFC 5246 appendix E.2: two suites, no session id, a challenge of 16 bytes.
    const Bytes hello = synth::from_hex("801f 01 0301 0006 0000 0010 00002f 0700c0") + synth::counting(16);
    Opening out{};
    EXPECT_EQ(recognise(hello, out), Parse::not_this);
    EXPECT_EQ(out, Opening::ssl2);
    Bytes wrong = hello;
    wrong[1] = 0x20;
    EXPECT_EQ(recognise(wrong, out), Parse::not_this);
    EXPECT_EQ(out, Opening::none);
    for (std::size_t count = 1; count < 11; ++count) {
        EXPECT_EQ(recognise({hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(count)}, out),
                  Parse::need_more);
    }
}

TEST(LooksLikeTls, TakesNoOtherProtocol) {
    Opening out{};
    for (const std::string_view text :
         {"GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x05\x01\x00 socks....",
          "\x04\x01\x01\xbb socks4...", "220 mail.example ESMTP\r\n", "\x16\x03\x01 not tls", "* OK IMAP\r\n",
          "\x0d\x0a\x0d\x0a\x00\x0d\x0aQUIT\x0a"}) {
        EXPECT_EQ(recognise(synth::bytes_of(text), out), Parse::not_this) << text;
    }
    // A record header and another handshake type, length or inner version.
    EXPECT_EQ(recognise(synth::tls_record(22, synth::handshake(3, synth::counting(60))), out),
              Parse::not_this);
    EXPECT_EQ(recognise(synth::tls_record(22, synth::handshake(1, Bytes{3, 3})), out), Parse::not_this);
    EXPECT_EQ(recognise(synth::tls_record(22, synth::handshake(1, synth::counting(60, 9))), out),
              Parse::not_this);
    EXPECT_EQ(recognise(synth::tls_record(23, synth::counting(60)), out), Parse::not_this);
}

}  // namespace
}  // namespace seine::tls
