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

// Appends the 32 hex digits of MD5 over `text` to `out`.
template <std::size_t Cap>
void append_md5(crypto::Digester& digester, std::string_view text, FixedString<Cap>& out) noexcept {
    crypto::Digester::Md5 digest;
    digester.md5(text, digest);
    out.append_hex(digest);
}

}  // namespace seine::fingerprint
