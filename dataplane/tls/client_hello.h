// ClientHello as a view: lists in wire order, and the extension bodies somebody reads.
#pragma once
#include "dataplane/base/fixed_vector.h"
#include "dataplane/tls/extensions.h"

namespace seine::tls {

// A hello inside DTLS has a cookie after the session id (RFC 6347 section 4.2.1); otherwise they agree.
enum class HelloForm : std::uint8_t { tls, dtls };

// encrypted_client_hello (RFC 9849). A GREASE one looks like an outer one; who knows the configured
// config_id may tell them apart.
struct EchView {
    enum class Kind : std::uint8_t { none, outer, inner };
    Kind kind = Kind::none;
    std::uint16_t kdf = 0;
    std::uint16_t aead = 0;
    std::uint8_t config_id = 0;
    std::uint16_t enc_bytes = 0;
    std::uint16_t payload_bytes = 0;
};

// Everything borrows from the message.
struct ClientHello {
    std::uint16_t legacy_version = 0;
    ByteView random;  // 32 bytes
    ByteView session_id;
    ByteView cookie;  // DTLS only
    U16List ciphers;
    ByteView compressions;
    bool has_extension_block = false;  // SSL 3.0 and early TLS hellos may have none
    // Types in wire order, GREASE and repeats included. Of a repeated type the first body counts.
    FixedVector<std::uint16_t, kExtensionsMax> extensions;

    bool has_server_name = false;
    ByteView server_name;  // empty: extension without a name
    bool has_alpn = false;
    ByteView alpn;  // entries, each a length byte and a name
    U16List groups;
    ByteView point_formats;
    U16List signature_algorithms;  // extension 13 alone
    bool has_supported_versions = false;
    U16List supported_versions;
    // key_share entries, each group, length, key (RFC 8446 section 4.2.8).
    bool has_key_share = false;
    ByteView key_shares;
    // pre_shared_key: its first identity (RFC 8446 section 4.2.11).
    bool has_psk = false;
    ByteView psk_identity;
    std::uint32_t psk_obfuscated_age = 0;
    std::uint16_t psk_identity_count = 0;
    bool has_early_data = false;
    // session_ticket (RFC 5077): an empty one asks for a ticket, a filled one presents it.
    bool has_session_ticket = false;
    ByteView session_ticket;
    EchView ech;
    bool has_padding = false;
    std::uint16_t padding_bytes = 0;
    bool has_quic_parameters = false;  // 0x39, or 0xffa5 of the drafts
    ByteView quic_parameters;
    // A body that feeds no fingerprint is broken; its view is empty.
    bool odd_bodies = false;

    // Whether a non-GREASE TLS 1.3 (or draft) is among supported_versions.
    [[nodiscard]] bool offers_tls13() const noexcept;
    // First entry of the ALPN list; empty when there is none.
    [[nodiscard]] ByteView first_alpn() const noexcept;
    // ja4's version rule: largest non-GREASE supported version, else legacy_version.
    [[nodiscard]] std::uint16_t highest_version() const noexcept;
};

// `body` is the message without its handshake header.
// ok:        `out` is set.
// malformed: a length runs past its place, bytes are left over, numbers are cut, or a body that feeds a
//            fingerprint (groups, point formats, signature algorithms, ALPN, versions) is broken.
// limit:     more than kCiphersMax, kExtensionsMax, kSignatureAlgorithmsMax or kGroupsMax.
// need_more, not_this: never.
Parse read_client_hello(ByteView body, HelloForm form, ClientHello& out) noexcept;

}  // namespace seine::tls
