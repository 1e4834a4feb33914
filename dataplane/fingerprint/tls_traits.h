// Seine's own descriptor of a TLS client: what its library does and does not do, in letters.
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/tls/client_hello.h"

namespace seine::fingerprint {

// X(bit, letter, meaning): the flags of the third part, printed in this order. What a resumption, a retry or
// another length of a name changes is left out (pre_shared_key, early_data, cookie, padding), so a client
// keeps its descriptor from one connection to the next.
#define SEINE_TLS_TRAITS(X)                                                                    \
    X(grease_cipher, 'G', "GREASE among the cipher suites (RFC 8701)")                         \
    X(grease_extension, 'g', "GREASE among the extensions")                                    \
    X(status_request, 'o', "status_request (RFC 6066)")                                        \
    X(sct, 's', "signed_certificate_timestamp (RFC 6962)")                                     \
    X(points_uncompressed, 'p', "ec_point_formats: uncompressed alone (RFC 8422)")             \
    X(points_all, 'P', "ec_point_formats: all three")                                          \
    X(points_other, 'q', "ec_point_formats: another list")                                     \
    X(encrypt_then_mac, 'E', "encrypt_then_mac (RFC 7366)")                                    \
    X(extended_master_secret, 'e', "extended_master_secret (RFC 7627)")                        \
    X(session_ticket, 't', "session_ticket (RFC 5077)")                                        \
    X(compress_certificate, 'c', "compress_certificate (RFC 8879)")                            \
    X(record_size_limit, 'l', "record_size_limit (RFC 8449)")                                  \
    X(delegated_credential, 'd', "delegated_credential (RFC 9345)")                            \
    X(psk_modes, 'm', "psk_key_exchange_modes (RFC 8446)")                                     \
    X(post_handshake_auth, 'a', "post_handshake_auth (RFC 8446)")                              \
    X(certificate_authorities, 'k', "certificate_authorities (RFC 8446)")                      \
    X(next_protocol, 'n', "next_protocol_negotiation, the forerunner of ALPN")                 \
    X(application_settings, 'A', "application_settings, code point 17613")                     \
    X(application_settings_old, 'B', "application_settings, its older code point 17513")       \
    X(channel_id, 'i', "channel_id")                                                           \
    X(renegotiation_info, 'r', "renegotiation_info as an extension (RFC 5746)")                \
    X(renegotiation_suite, 'v', "TLS_EMPTY_RENEGOTIATION_INFO_SCSV among the suites")          \
    X(fallback_suite, 'f', "TLS_FALLBACK_SCSV among the suites (RFC 7507)")                    \
    X(encrypted_client_hello, 'h', "encrypted_client_hello, GREASE or real (RFC 9849)")        \
    X(mlkem, 'M', "X25519MLKEM768 among the groups")                                           \
    X(kyber, 'K', "a draft Kyber hybrid among the groups")                                     \
    X(ffdhe, 'F', "finite-field groups (RFC 7919)")                                            \
    X(x448, 'X', "X448 among the groups")                                                      \
    X(compatibility_id, 'S', "offers TLS 1.3 with a 32-byte session id (RFC 8446 section D.4)") \
    X(sha1, '1', "SHA-1 among the signature algorithms")                                       \
    X(dsa, 'D', "DSA among the signature algorithms")                                          \
    X(ed25519, '5', "Ed25519 among the signature algorithms")                                  \
    X(ed448, '8', "Ed448 among the signature algorithms")                                      \
    X(brainpool, 'b', "Brainpool among the signature algorithms (RFC 8734)")                   \
    X(compression, 'z', "a compression other than null")

inline constexpr std::size_t kTlsTraitsBytesMax = 64;
using TlsTraitsText = FixedString<kTlsTraitsBytesMax>;

// Three parts joined by '/':
//
//   231f/001d/PEetmSa58
//   |   ||    `- letters of the table above, in its order; '-' if none
//   |   |`- first group that is not GREASE, 4 hex digits; '-' if there are none
//   |   `- f: a TLS 1.3 suite comes before all others; l: it does not; '-': there is none
//   `- the TLS 1.3 suites in wire order, each by its last hex digit (1301 is 1), at most 8
//
// A library is known by what it can and cannot do: BoringSSL has no encrypt_then_mac and OpenSSL no GREASE,
// whatever the agent says and whichever version it is. `out` is replaced.
void tls_traits(const tls::ClientHello& hello, TlsTraitsText& out) noexcept;

}  // namespace seine::fingerprint
