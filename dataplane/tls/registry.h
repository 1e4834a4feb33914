// Code points of TLS and DTLS that parsers and fingerprints need, and the GREASE predicate.
#pragma once
#include <cstddef>
#include <cstdint>

namespace seine::tls {

// Record content types (RFC 8446 section 5.1, RFC 6520, RFC 9146).
namespace content {
inline constexpr std::uint8_t kChangeCipherSpec = 20;
inline constexpr std::uint8_t kAlert = 21;
inline constexpr std::uint8_t kHandshake = 22;
inline constexpr std::uint8_t kApplicationData = 23;
inline constexpr std::uint8_t kHeartbeat = 24;
inline constexpr std::uint8_t kTls12Cid = 25;
}  // namespace content

// Handshake message types (RFC 8446 section 4, RFC 5246 section 7.4, RFC 6347 section 4.3.2).
namespace handshake {
inline constexpr std::uint8_t kHelloRequest = 0;
inline constexpr std::uint8_t kClientHello = 1;
inline constexpr std::uint8_t kServerHello = 2;
inline constexpr std::uint8_t kHelloVerifyRequest = 3;  // DTLS only
inline constexpr std::uint8_t kNewSessionTicket = 4;
inline constexpr std::uint8_t kDraftHelloRetryRequest = 6;  // TLS 1.3 drafts up to 21
inline constexpr std::uint8_t kCertificate = 11;
inline constexpr std::uint8_t kServerKeyExchange = 12;
inline constexpr std::uint8_t kCertificateRequest = 13;
inline constexpr std::uint8_t kServerHelloDone = 14;
inline constexpr std::uint8_t kClientKeyExchange = 16;
inline constexpr std::uint8_t kCertificateStatus = 22;
}  // namespace handshake

// Extension types (IANA "TLS ExtensionType Values").
namespace extension {
inline constexpr std::uint16_t kServerName = 0;
inline constexpr std::uint16_t kSupportedGroups = 10;
inline constexpr std::uint16_t kPointFormats = 11;
inline constexpr std::uint16_t kSignatureAlgorithms = 13;
inline constexpr std::uint16_t kAlpn = 16;
inline constexpr std::uint16_t kPadding = 21;
inline constexpr std::uint16_t kSessionTicket = 35;
inline constexpr std::uint16_t kPreSharedKey = 41;
inline constexpr std::uint16_t kEarlyData = 42;
inline constexpr std::uint16_t kSupportedVersions = 43;
inline constexpr std::uint16_t kKeyShare = 51;
inline constexpr std::uint16_t kQuicTransportParameters = 57;
inline constexpr std::uint16_t kQuicTransportParametersDraft = 0xffa5;
inline constexpr std::uint16_t kEncryptedClientHello = 0xfe0d;
}  // namespace extension

// The 16 reserved values 0x0a0a, 0x1a1a ... 0xfafa (RFC 8701); 0xeeee or 0xefef are none of them.
constexpr bool is_grease(std::uint16_t value) noexcept {
    return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff);
}

// Bounds of this folder. Each is answered with Parse::limit, never with a cut list.
inline constexpr std::size_t kHandshakeBytesMax = 64 * 1024;  // one message: hello, certificate
// Lists that a fingerprint sorts and hashes. Ten times the longest list seen in 1,455 recorded flows
// (91 suites, 15 extensions), and every suite IANA has named; they bound one hash input at 10 KiB.
inline constexpr std::size_t kCiphersMax = 2048;
inline constexpr std::size_t kExtensionsMax = 256;
inline constexpr std::size_t kSignatureAlgorithmsMax = 1024;
inline constexpr std::size_t kGroupsMax = 1024;

}  // namespace seine::tls
