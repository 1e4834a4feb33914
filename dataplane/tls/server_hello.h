// ServerHello, HelloRetryRequest and the TLS 1.2 NewSessionTicket as views.
#pragma once
#include "dataplane/base/fixed_vector.h"
#include "dataplane/tls/extensions.h"

namespace seine::tls {

// Everything borrows from the message.
struct ServerHello {
    std::uint16_t legacy_version = 0;
    ByteView random;  // empty in a HelloRetryRequest of the drafts
    ByteView session_id;
    std::uint16_t cipher = 0;
    std::uint8_t compression = 0;
    FixedVector<std::uint16_t, kExtensionsMax> extensions;  // wire order
    // A ServerHello with the special random of RFC 8446 section 4.1.3.
    bool retry_request = false;

    std::uint16_t selected_version = 0;  // supported_versions; 0: absent
    bool has_alpn = false;
    ByteView alpn;  // list of one entry, as in ClientHello
    bool has_key_share = false;
    std::uint16_t key_share_group = 0;
    bool has_psk = false;
    std::uint16_t psk_index = 0;
    bool has_session_ticket = false;  // a NewSessionTicket follows (RFC 5077)

    // selected_version if there is one, else legacy_version: what JA4S prints and the record reports.
    [[nodiscard]] std::uint16_t version() const noexcept {
        return selected_version != 0 ? selected_version : legacy_version;
    }
    [[nodiscard]] ByteView first_alpn() const noexcept;
};

// `body` is the message without its handshake header. TLS and DTLS agree; the TLS 1.3 drafts up to 21
// (version 0x7f00 to 0x7f15, the first ones 0x0304) have neither session id nor compression.
// ok:        `out` is set.
// malformed: a length runs past its place, bytes are left over, or ALPN or the version is broken.
// limit:     more than kExtensionsMax extensions.
// need_more, not_this: never.
Parse read_server_hello(ByteView body, ServerHello& out) noexcept;
// The same for handshake type 6 of the drafts: version, [suite,] extensions.
Parse read_draft_retry_request(ByteView body, ServerHello& out) noexcept;

// NewSessionTicket of TLS 1.2 (RFC 5077 section 3.3), in clear. `ticket` may be empty.
struct NewSessionTicket {
    std::uint32_t lifetime_s = 0;
    ByteView ticket;
};
// ok, or malformed when the length is not that of the body.
Parse read_new_session_ticket(ByteView body, NewSessionTicket& out) noexcept;

}  // namespace seine::tls
