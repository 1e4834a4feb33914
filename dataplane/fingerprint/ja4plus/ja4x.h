// JA4X of a certificate (JA4+: see NOTICE in this folder).
#pragma once
#include "dataplane/base/fixed_string.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/tls/certificate.h"

namespace seine::fingerprint {

inline constexpr std::size_t kJa4xBytes = 38;  // 12 _ 12 _ 12
using Ja4xText = FixedString<kJa4xBytes>;

// Issuer attribute types, subject attribute types and extension ids, in order, one hash each. False, and
// `out` empty, when the identifiers of one list make more than 4 KiB of text: no certificate in use does.
bool ja4x(const tls::Certificate& certificate, crypto::Digester& digester, Ja4xText& out) noexcept;

}  // namespace seine::fingerprint
