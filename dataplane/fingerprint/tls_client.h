// JA4 of a ClientHello over TCP, QUIC or DTLS, in its four forms and Seine's normalised one.
#pragma once
#include <span>
#include <string_view>

#include "dataplane/base/fixed_string.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/tls/client_hello.h"

namespace seine::fingerprint {

// How the hello was carried; the value is JA4's first letter.
enum class Transport : char { tcp = 't', quic = 'q', dtls = 'd' };

inline constexpr std::size_t kJa4Bytes = 36;  // 10 _ 12 _ 12
using Ja4Text = FixedString<kJa4Bytes>;

struct TlsClientPrint {
    Ja4Text ja4;
    // JA4 with pre_shared_key (41), early_data (42) and padding (21) left out of list and count, so that
    // a resumed session and a first one look the same (detection.md section 2).
    Ja4Text ja4_norm;
};

// Both hashed forms of what read_client_hello() accepted. Allocates nothing.
void tls_client(const tls::ClientHello& hello, Transport transport, crypto::Digester& digester,
                TlsClientPrint& out) noexcept;
// ja4_o: lists in wire order, server_name and ALPN included.
void ja4_wire_order(const tls::ClientHello& hello, Transport transport, crypto::Digester& digester,
                    Ja4Text& out) noexcept;

// A form that is as long as the hello wants it.
struct RawForm {
    std::string_view text;   // borrows from the caller's characters
    bool truncated = false;  // cut at their end
};
// ja4_r and ja4_ro, written to `out`. kJa4RawBytesMax characters hold any accepted hello; most need 300.
inline constexpr std::size_t kJa4RawBytesMax =
    16 + 5 * (tls::kCiphersMax + tls::kExtensionsMax + tls::kSignatureAlgorithmsMax);
RawForm ja4_raw(const tls::ClientHello& hello, Transport transport, std::span<char> out) noexcept;
RawForm ja4_raw_wire_order(const tls::ClientHello& hello, Transport transport,
                           std::span<char> out) noexcept;

// Pieces that JA4S shares.
// Two characters of a version: 0304 `13` ... fefd `d2`, anything unknown `00`.
[[nodiscard]] std::string_view version_code(std::uint16_t version) noexcept;
// Two characters of a first ALPN entry, `00` when empty.
struct AlpnCode {
    char first = '0';
    char last = '0';
};
[[nodiscard]] AlpnCode alpn_code(ByteView entry) noexcept;

}  // namespace seine::fingerprint
