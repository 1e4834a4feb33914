// JA4S of a ServerHello (JA4+: see NOTICE in this folder).
#pragma once
#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/tls/server_hello.h"

namespace seine::fingerprint {

inline constexpr std::size_t kJa4sBytes = 25;  // 7 _ 4 _ 12
using Ja4sText = FixedString<kJa4sBytes>;
inline constexpr std::size_t kJa4sRawBytesMax = 13 + 5 * tls::kExtensionsMax;

// GREASE extension types are left out of count and list; wire order (fingerprints.md "JA4S").
void ja4s(const tls::ServerHello& hello, Transport transport, crypto::Digester& digester,
          Ja4sText& out) noexcept;
// ja4s_r: the list itself in place of its hash.
RawForm ja4s_raw(const tls::ServerHello& hello, Transport transport, std::span<char> out) noexcept;

}  // namespace seine::fingerprint
