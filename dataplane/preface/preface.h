// What comes before TLS or HTTP on a connection: PROXY, SOCKS, STARTTLS and kin, as a bounded
// machine.
#pragma once
#include "dataplane/preface/proxy_protocol.h"

namespace seine::preface {

// HTTP CONNECT is not in this list: it is an HTTP request with a record of its own, and
// http::Http1Connection says where its tunnel begins.
enum class Kind : std::uint8_t {
    none,
    proxy,     // PROXY v1, v2
    socks4,    // SOCKS4 and 4a
    socks5,    // RFC 1928, 1929
    smtp,      // RFC 3207 (LMTP too)
    imap,      // RFC 9051
    pop3,      // RFC 2595
    ftp,       // RFC 4217
    line,      // another protocol of text lines that begins TLS at a line start
    postgres,  // SSLRequest
    mysql,     // SSLRequest
    ldap,      // RFC 4511 section 4.14
    rdp,       // X.224 connection request
    xmpp,      // RFC 6120 section 5
};

// Short name for records and counters: `proxy`, `socks5`, ..
std::string_view name_of(Kind kind) noexcept;

// The machine of one preface on one connection. Each direction is read on its own and waits for the
// other nowhere, so a capture of one direction gives the same answers as far as they can be known:
// where a command asks for TLS, the tunnel begins where TLS does begin. Nothing is kept of what
// goes by but kind and counts; user names, passwords and mail stay in the stream.
//
// A tunnel can hold a preface again (PROXY, then SMTP): the caller makes a new Preface and bounds
// the depth.
class Preface {
  public:
    static constexpr std::size_t kLineBytesMax = 4096;
    static constexpr std::uint32_t kLinesMax =
        512;  // per direction; handshakes.h bounds the binary ones

    // ok:        drop `consume` bytes; with `tunnel` the rest of this direction belongs to what is
    // inside and
    //            this direction is not shown here any more. Without it, call again when bytes are
    //            left.
    // need_more: keep the bytes.
    // not_this:  no preface here, or one that goes on in clear; other recognisers may try the bytes
    // if
    //            nothing was consumed.
    // malformed, limit: a preface that breaks its rules or this machine's bounds.
    struct Step {
        Parse parse = Parse::need_more;
        bool tunnel = false;
        std::size_t consume = 0;
    };
    // `header` is set when kind() is proxy and the step says tunnel; else untouched.
    Step feed_client(ByteView bytes, ProxyHeader& header) noexcept;
    Step feed_server(ByteView bytes) noexcept;

    [[nodiscard]] Kind kind() const noexcept { return kind_; }

  private:
    struct Direction {
        std::uint32_t lines = 0;
        bool begun = false;  // it is one of text lines or elements and some went by
    };
    Step client_start(ByteView bytes, ProxyHeader& header) noexcept;
    Step server_start(ByteView bytes) noexcept;
    Step whole(Kind kind, Parse parse, std::size_t length) noexcept;
    Step client_lines(ByteView bytes) noexcept;
    Step server_lines(ByteView bytes) noexcept;
    static Step lines(Direction& direction, ByteView bytes) noexcept;
    Step elements(Direction& direction, ByteView bytes) noexcept;

    Direction client_;
    Direction server_;
    Kind kind_ = Kind::none;
};

}  // namespace seine::preface
