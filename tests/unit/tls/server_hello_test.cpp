// ServerHello, retry requests and tickets: views, refusals, cuts and flips.
#include "dataplane/tls/server_hello.h"

#include <gtest/gtest.h>

#include "tools/synth/hello_builder.h"

namespace seine::tls {
namespace {

using synth::Bytes;
using synth::operator+;

Bytes tls13_hello() {
    return synth::server_hello({.session_id = synth::counting(32),
                                .cipher = 0x1303,
                                .extensions = {synth::bare(43, {3, 4}),
                                               synth::bare(51, synth::from_hex("001d0002aabb")),
                                               synth::bare(41, {0, 1})}});
}

TEST(TlsServerHello, ShowsATls13Answer) {
    const Bytes body = tls13_hello();
    ServerHello hello;
    ASSERT_EQ(read_server_hello(body, hello), Parse::ok);
    EXPECT_EQ(hello.legacy_version, 0x0303);
    EXPECT_EQ(hello.version(), 0x0304);
    EXPECT_EQ(hello.cipher, 0x1303);
    EXPECT_EQ(hello.session_id.size(), 32u);
    EXPECT_EQ(hello.extensions.size(), 3u);
    EXPECT_EQ(hello.key_share_group, 0x001d);
    EXPECT_TRUE(hello.has_psk);
    EXPECT_EQ(hello.psk_index, 1);
    EXPECT_FALSE(hello.retry_request);
    EXPECT_FALSE(hello.has_alpn);
}

TEST(TlsServerHello, ShowsATls12Answer) {
    ServerHello hello;
    const Bytes body = synth::server_hello(
        {.cipher = 0xc030,
         .extensions = {synth::bare(0xff01, {0}), synth::alpn({"http/1.1"}), synth::bare(35)}});
    ASSERT_EQ(read_server_hello(body, hello), Parse::ok);
    EXPECT_EQ(hello.version(), 0x0303);
    EXPECT_EQ(as_text(hello.first_alpn()), "http/1.1");
    EXPECT_TRUE(hello.has_session_ticket);
}

TEST(TlsServerHello, KnowsARetryRequestByItsRandom) {
    ServerHello hello;
    const Bytes body = synth::server_hello(
        {.extensions = {synth::bare(43, {3, 4}), synth::bare(51, {0, 0x1d})}, .retry_request = true});
    ASSERT_EQ(read_server_hello(body, hello), Parse::ok);
    EXPECT_TRUE(hello.retry_request);
    EXPECT_EQ(hello.key_share_group, 0x001d);
}

TEST(TlsServerHello, ReadsTheShapeOfEarlyDrafts) {
    // Draft 18: neither session id nor compression.
    const Bytes body = synth::from_hex("7f12") + synth::counting(32) +
                       synth::from_hex("1301 0008 0028 0004 001d 0000");
    ServerHello hello;
    ASSERT_EQ(read_server_hello(body, hello), Parse::ok);
    EXPECT_EQ(hello.version(), 0x7f12);
    EXPECT_EQ(hello.cipher, 0x1301);
    EXPECT_EQ(hello.extensions.size(), 1u);

    // Draft 14, as an old Mozilla server answered.
    const Bytes oldest = synth::server_hello({.legacy_version = 0x0304,
                                              .cipher = 0xc02b,
                                              .extensions = {synth::bare(0x28, synth::counting(69))},
                                              .early_draft = true});
    ASSERT_EQ(read_server_hello(oldest, hello), Parse::ok);
    EXPECT_EQ(hello.version(), 0x0304);
    EXPECT_EQ(hello.cipher, 0xc02b);

    ASSERT_EQ(read_draft_retry_request(synth::from_hex("7f12 0006 0028 0002 0017"), hello), Parse::ok);
    EXPECT_TRUE(hello.retry_request);
    EXPECT_EQ(hello.extensions[0], 0x28);
    ASSERT_EQ(read_draft_retry_request(synth::from_hex("7f13 1301 0006 0028 0002 0017"), hello), Parse::ok);
    EXPECT_EQ(hello.cipher, 0x1301);
    EXPECT_EQ(read_draft_retry_request(synth::from_hex("0303 0006 0028 0002 0017"), hello),
              Parse::malformed);
}

TEST(TlsServerHello, MayEndBeforeTheExtensions) {
    ServerHello hello;
    ASSERT_EQ(read_server_hello(synth::server_hello({.legacy_version = 0x0300, .extension_block = false}), hello),
              Parse::ok);
    EXPECT_EQ(hello.version(), 0x0300);
}

TEST(TlsServerHello, BoundsItsExtensions) {
    synth::ServerOptions options;
    options.extensions.assign(kExtensionsMax, synth::bare(0x7777));
    ServerHello hello;
    EXPECT_EQ(read_server_hello(synth::server_hello(options), hello), Parse::ok);
    options.extensions.push_back(synth::bare(0x7777));
    EXPECT_EQ(read_server_hello(synth::server_hello(options), hello), Parse::limit);
}

TEST(TlsServerHello, EveryTruncationIsMalformedButTheOneWithoutExtensions) {
    const Bytes body = tls13_hello();
    constexpr std::size_t kWithoutExtensions = 34 + 33 + 3;
    for (std::size_t count = 0; count < body.size(); ++count) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
        ServerHello hello;
        EXPECT_EQ(read_server_hello(cut, hello),
                  count == kWithoutExtensions ? Parse::ok : Parse::malformed)
            << count;
    }
}

TEST(TlsServerHello, EveryFlippedByteIsAnswered) {
    const Bytes body = tls13_hello();
    for (std::size_t i = 0; i < body.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Bytes flipped = body;
            flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ (1 << bit));
            ServerHello hello;
            const Parse answer = read_server_hello(flipped, hello);
            EXPECT_TRUE(answer == Parse::ok || answer == Parse::malformed) << i;
        }
    }
}

TEST(TlsNewSessionTicket, ShowsTicketAndLifetime) {
    const Bytes body = synth::new_session_ticket(7200, synth::counting(40));
    NewSessionTicket ticket;
    ASSERT_EQ(read_new_session_ticket(body, ticket), Parse::ok);
    EXPECT_EQ(ticket.lifetime_s, 7200u);
    EXPECT_EQ(ticket.ticket.size(), 40u);
    for (std::size_t count = 0; count < body.size(); ++count) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_EQ(read_new_session_ticket(cut, ticket), Parse::malformed);
    }
    const Bytes empty = synth::new_session_ticket(0, {});
    ASSERT_EQ(read_new_session_ticket(empty, ticket), Parse::ok);
    EXPECT_TRUE(ticket.ticket.empty());
}

}  // namespace
}  // namespace seine::tls
