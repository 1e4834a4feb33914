// TLS and DTLS handshake messages from a short description, for tests, seeds and generators.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/synth/packet_builder.h"

namespace seine::synth {

// One extension: its type and body as sent.
struct ExtensionBytes {
    std::uint16_t type = 0;
    Bytes body;
};
// Extensions by what they say.
ExtensionBytes server_name(std::string_view host);
ExtensionBytes alpn(const std::vector<std::string_view>& names);
ExtensionBytes u16_list(std::uint16_t type, const std::vector<std::uint16_t>& values);  // 10, 13, 50
ExtensionBytes supported_versions(const std::vector<std::uint16_t>& values);
ExtensionBytes point_formats(const Bytes& formats);
ExtensionBytes key_shares(const std::vector<std::uint16_t>& groups, std::size_t key_bytes = 32);
ExtensionBytes pre_shared_key(const Bytes& identity, std::uint32_t obfuscated_age);
ExtensionBytes bare(std::uint16_t type, const Bytes& body = {});

struct HelloOptions {
    std::uint16_t legacy_version = 0x0303;
    Bytes session_id = {};
    std::vector<std::uint16_t> ciphers = {0x1301};
    Bytes compressions = {0};
    std::vector<ExtensionBytes> extensions = {};
    bool extension_block = true;
    bool dtls = false;  // has a cookie
    Bytes cookie = {};
};
// Bodies: without the handshake header.
Bytes client_hello(const HelloOptions& options);

struct ServerOptions {
    std::uint16_t legacy_version = 0x0303;
    Bytes session_id = {};
    std::uint16_t cipher = 0x1301;
    std::vector<ExtensionBytes> extensions = {};
    bool extension_block = true;
    bool retry_request = false;
    bool early_draft = false;  // neither session id nor compression
};
Bytes server_hello(const ServerOptions& options);
Bytes new_session_ticket(std::uint32_t lifetime_s, const Bytes& ticket);
Bytes certificate_list(const std::vector<Bytes>& certificates);

// Framing.
Bytes handshake(std::uint8_t type, const Bytes& body);
Bytes tls_record(std::uint8_t type, const Bytes& fragment, std::uint16_t version = 0x0301);
// The bytes in records of at most `fragment_bytes` each.
Bytes tls_records(std::uint8_t type, const Bytes& bytes, std::size_t fragment_bytes,
                  std::uint16_t version = 0x0301);
struct DtlsPiece {
    std::uint8_t type = 1;
    std::uint16_t message_seq = 0;
    std::size_t from = 0;
    std::size_t to = static_cast<std::size_t>(-1);  // the message's end
};
Bytes dtls_fragment(const DtlsPiece& piece, const Bytes& message_body);
struct DtlsRecordOptions {
    std::uint8_t type = 22;
    std::uint16_t version = 0xfefd;
    std::uint16_t epoch = 0;
    std::uint64_t sequence = 0;
};
Bytes dtls_record(const DtlsRecordOptions& options, const Bytes& fragment);

// X.509 as far as it is read; keys and signature are filler.
Bytes der(std::uint8_t tag, const Bytes& content);
struct NamePart {
    Bytes oid;  // content bytes
    std::string_view value;
};
struct CertificateOptions {
    Bytes serial = {1};
    std::vector<NamePart> issuer = {{{0x55, 0x04, 0x03}, "issuer"}};
    std::vector<NamePart> subject = {{{0x55, 0x04, 0x03}, "subject"}};
    std::string_view not_before = "240101000000Z";
    std::string_view not_after = "20500101000000Z";
    std::vector<std::string_view> dns_names = {};  // adds subjectAltName
    std::vector<Bytes> extension_oids = {};        // each with an empty SEQUENCE as value
};
Bytes certificate(const CertificateOptions& options);

}  // namespace seine::synth
