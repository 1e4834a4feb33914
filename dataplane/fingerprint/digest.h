// h12: the first twelve hex digits of SHA-256 over a joined list, zeros for an empty one.
#pragma once
#include <string_view>

#include "dataplane/base/fixed_string.h"
#include "dataplane/crypto/digest.h"

namespace seine::fingerprint {

inline constexpr std::size_t kH12Chars = 12;

// Appends h12(text) (fingerprints.md "Notation") to `out`.
template <std::size_t Cap>
void append_h12(crypto::Digester& digester, std::string_view text, FixedString<Cap>& out) noexcept {
    if (text.empty()) {
        out.append("000000000000");
        return;
    }
    crypto::Digester::Sha256 digest;
    digester.sha256(text, digest);
    out.append_hex(ByteView(digest).first(kH12Chars / 2));
}

// The same for a text that hellos and requests bring again and again; never for values (crypto/digest.h).
template <std::size_t Cap>
void append_known_h12(crypto::Digester& digester, std::string_view text, FixedString<Cap>& out) noexcept {
    if (text.empty()) {
        out.append("000000000000");
        return;
    }
    const crypto::KnownTexts::Digest digest = digester.known_sha256(text);
    out.append_hex(ByteView(digest).first(kH12Chars / 2));
}

// Appends the 32 hex digits of MD5 over `text`, a list that hellos bring again and again, to `out`.
template <std::size_t Cap>
void append_md5(crypto::Digester& digester, std::string_view text, FixedString<Cap>& out) noexcept {
    out.append_hex(digester.known_md5(text));
}

}  // namespace seine::fingerprint
