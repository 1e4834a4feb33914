// JA3 and JA3S, for rules and feeds that still use them.
#pragma once
#include <span>

#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/tls/server_hello.h"

namespace seine::fingerprint {

using Md5Text = FixedString<32>;

// MD5 of the string below, lower-case hex.
void ja3(const tls::ClientHello& hello, crypto::Digester& digester, Md5Text& out) noexcept;
void ja3s(const tls::ServerHello& hello, crypto::Digester& digester, Md5Text& out) noexcept;

// `version,ciphers,extensions,groups,pointformats` and `version,cipher,extensions`; decimal, GREASE left
// out, wire order. kJa3RawBytesMax characters hold any accepted hello.
inline constexpr std::size_t kJa3RawBytesMax =
    16 + 6 * (tls::kCiphersMax + tls::kExtensionsMax + tls::kGroupsMax) + 4 * 255;
RawForm ja3_raw(const tls::ClientHello& hello, std::span<char> out) noexcept;
RawForm ja3s_raw(const tls::ServerHello& hello, std::span<char> out) noexcept;

}  // namespace seine::fingerprint
