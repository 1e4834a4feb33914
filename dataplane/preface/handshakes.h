// The binary prefaces: each a function from the front of one direction to the length of its
// preface.
#pragma once
#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::preface {

inline constexpr std::size_t kHandshakeBytesMax = 4096;  // of one direction

// ok: a TLS handshake record or, from a server, an alert begins here. need_more, not_this.
Parse tls_here(ByteView bytes) noexcept;

// Each of the following, for one direction and from its first byte:
// ok: the preface is the first `length` bytes and what is inside begins there. need_more: sound so
// far. not_this: another protocol, or this one without a tunnel (refused, another command, going on
// in clear). Where the protocol only may turn to TLS, ok waits for the TLS to begin.
Parse socks4_client(ByteView bytes, std::size_t& length) noexcept;
Parse socks4_server(ByteView bytes, std::size_t& length) noexcept;
Parse socks5_client(ByteView bytes, std::size_t& length) noexcept;
Parse socks5_server(ByteView bytes, std::size_t& length) noexcept;
Parse postgres_client(ByteView bytes, std::size_t& length) noexcept;
Parse postgres_server(ByteView bytes, std::size_t& length) noexcept;
Parse mysql_client(ByteView bytes, std::size_t& length) noexcept;
Parse mysql_server(ByteView bytes, std::size_t& length) noexcept;
Parse ldap_client(ByteView bytes, std::size_t& length) noexcept;
Parse ldap_server(ByteView bytes, std::size_t& length) noexcept;
Parse rdp_client(ByteView bytes, std::size_t& length) noexcept;
Parse rdp_server(ByteView bytes, std::size_t& length) noexcept;

}  // namespace seine::preface
